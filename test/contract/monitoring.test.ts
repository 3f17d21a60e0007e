/** Debian's Prometheus scrapes the exporter, a scheduler and a load balancer; the alerts fire for real faults. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline, Readable } from 'node:stream';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { RULES_FILE } from '../../src/monitoring/file-names.ts';
import { parseTarget, schedulerTargets, scrapeConfig } from '../../src/monitoring/scrape-config.ts';
import { type LbProcess, startLb } from '../e2e/support/lb-process.ts';
import { type Prometheus, runPrometheus } from '../e2e/support/prometheus.ts';
import { alertRules, dashboardExpressions, immediateRules, metricNames } from '../monitoring/metric-names.ts';
import { type Program, Programs } from './support/programs.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** Prometheus scrapes every second. */
const WITHIN = { timeout: 45_000, interval: 200 };
const monitor = { principal: 'mesosup-monitoring', secret: 'open-sesame-monitor' };
const mesosup = { principal: 'mesosup', secret: 'open-sesame-scheduler' };

interface Child {
  readonly url: string;
  readonly log: readonly string[];
  kill(): Promise<void>;
}

const children: ChildProcess[] = [];
let programs: Programs;
let master: Program;
let agent: Program;
let scheduler: Child;
let exporter: Child;
let lb: LbProcess;
let prometheus: Prometheus;

/** Starts a program and waits until it listens. */
async function start(main: string, flags: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [path.join(root, main), ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  const log: string[] = [];
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const urlIn = () => /listening on (http:\/\/[\d.:]+)/.exec(log.join('\n'))?.[1];
  await vi.waitFor(() => expect(urlIn(), log.join('\n')).toBeTruthy(), WITHIN);
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { url: urlIn() ?? '', log, kill };
}

function startExporter(...flags: readonly string[]): Promise<Child> {
  return start('src/monitoring/main.ts', ['--listen=127.0.0.1:0', '--timeout-ms=2000', ...flags]);
}

async function metricsOf({ url }: Child): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

beforeAll(async () => {
  programs = new Programs();
  const { directory } = programs;
  const credentials = programs.secret('credentials', { credentials: [monitor, mesosup] });
  master = await programs.master([
    '--authenticate_http_frameworks',
    '--http_framework_authenticators=basic',
    '--authenticate_http_readonly',
    '--authenticate_http_readwrite',
    `--credentials=file://${credentials}`,
    '--agent_ping_timeout=1secs',
    '--max_agent_ping_timeouts=2',
  ]);
  agent = await programs.agent(master.address, [
    '--authenticate_http_readonly',
    '--authenticate_http_readwrite',
    `--http_credentials=${programs.secret('http-credentials', { credentials: [monitor] })}`,
  ]);
  const file = programs.secret('monitor', `${monitor.principal}:${monitor.secret}\n`);
  [exporter, scheduler] = await Promise.all([
    startExporter(
      `--master=http://${master.address}`,
      `--agent=http://${agent.address}`,
      `--credentials-file=${file}`,
    ),
    start('src/scheduler/main.ts', [
      ...['--master', master.address, '--http_port=0', `--data_dir=${path.join(directory, 'scheduler')}`],
      ...['--mesos_user=root', `--mesos_authentication_principal=${mesosup.principal}`],
      `--mesos_authentication_secret_file=${programs.secret('secret', mesosup.secret)}`,
      `--http_credentials_file=${programs.secret('api', 'root:open-sesame-api')}`,
      `--http_users_file=${programs.secret('users', '[viewer]\nprometheus:open-sesame-viewer\n')}`,
    ]),
  ]);
  const authorization = `Basic ${Buffer.from('root:open-sesame-api').toString('base64')}`;
  const app = { id: '/web', cmd: 'exec sleep 600', cpus: 0.1, mem: 16, portDefinitions: [{ port: 15_080 }] };
  const posted = await fetch(`${scheduler.url}/v2/apps`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(app),
  });
  expect(posted.status).toBe(201);
  const lbCredentials = programs.secret('lb-credentials', 'prometheus:open-sesame-viewer');
  lb = await startLb(scheduler.url, path.join(directory, 'lb'), {
    'credentials-file': lbCredentials,
    'reserved-ports': '31000-31009',
  });
  const targets = {
    cluster: 'test',
    exporters: [parseTarget(new URL(exporter.url).host, '')],
    ...schedulerTargets([scheduler.url], ''),
    access: {
      kind: 'password' as const,
      user: 'prometheus',
      file: programs.secret('viewer-password', 'open-sesame-viewer'),
    },
    lbs: [parseTarget(`127.0.0.1:${lb.metricsPort}`, '')],
    haproxies: [parseTarget(`127.0.0.1:${lb.statsPort}`, '')],
  };
  await writeFile(path.join(directory, RULES_FILE), await immediateRules());
  const config = scrapeConfig(targets);
  prometheus = await runPrometheus(directory, {
    ...config,
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
  });
});

afterAll(async () => {
  await prometheus?.stop();
  await lb?.stop();
  for (const child of children) child.kill('SIGKILL');
  await programs?.[Symbol.asyncDispose]();
});

it('has every metric that dashboard and alerts name, and every panel shows a value', async () => {
  const expressions = dashboardExpressions('test');
  const rules = await alertRules();
  const names = new Set([...expressions, ...rules.map(({ expr }) => expr)].flatMap(metricNames));
  expect(names.size).toBeGreaterThan(40);
  const missing = async (all: Iterable<string>) => {
    const found: string[] = [];
    for (const one of all) if ((await prometheus.query(one)).length === 0) found.push(one);
    return found;
  };
  await expect.poll(() => missing(names), WITHIN).toEqual([]);
  // Such a panel shows only servers with errors.
  const shown = expressions.filter((expression) => !expression.endsWith('> 0'));
  await expect.poll(() => missing(shown), WITHIN).toEqual([]);
  for (const { expr } of rules) await prometheus.query(expr);
  expect(await prometheus.firing()).toEqual([]);
});

it('passes promtool: rules, configuration, and names and units of the metrics', async () => {
  await execa('promtool', ['check', 'rules', path.join(root, 'templates/monitoring/rules.yml')]);
  await execa('promtool', ['check', 'config', path.join(programs.directory, 'prometheus.yml')]);
  const { stdout, stderr } = await execa('promtool', ['check', 'metrics'], {
    input: await metricsOf(exporter),
  });
  expect(stdout + stderr).toBe('');
});

it('shows no secret, and nothing but metrics', async () => {
  expect(await metricsOf(exporter)).not.toContain('open-sesame');
  expect((await fetch(`${exporter.url}/`)).status).toBe(404);
  expect((await fetch(`${exporter.url}/metrics`, { method: 'POST' })).status).toBe(404);
});

it('says that it is refused without credentials, and refuses a file that others can read', async () => {
  const agentFlag = `--agent=http://${agent.address}`;
  const anonymous = await startExporter(agentFlag);
  expect(await metricsOf(anonymous)).toContain('mesos_up{component="agent",endpoint="/metrics/snapshot"} 0');
  expect(anonymous.log.join()).toContain(
    'answered 401: set the principal and secret with --credentials-file',
  );
  const file = programs.secret('open', 'a:b');
  await chmod(file, 0o640);
  const main = path.join(root, 'src/monitoring/main.ts');
  const refused = await execa(process.execPath, [main, agentFlag, `--credentials-file=${file}`], {
    reject: false,
  });
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(`Run: chmod 600 ${file}`)]);
});

it('escapes hostile names, and gives up a target that is silent, endless, redirects or does not answer JSON', async () => {
  const name = 'a"} 1\nmesos_up 7\\';
  const paths: Record<string, string> = {
    // Prometheus must not see the injected line.
    '/good/metrics/snapshot': JSON.stringify({
      'slave/registered': 1,
    }),
    '/good/containers': JSON.stringify([
      { framework_id: name, executor_id: name, statistics: { processes: 1 } },
      { framework_id: name, executor_id: name, statistics: { processes: 2 } },
      'nonsense',
    ]),
    '/text/metrics/snapshot': 'hello',
    '/text/containers': '{}',
  };
  const server = createServer((request, response) => {
    const place = request.url?.split('?')[0] ?? '';
    if (place.startsWith('/moved/')) {
      response.writeHead(307, { Location: `/good${place.slice('/moved'.length)}` }).end();
    } else if (place.startsWith('/endless/')) {
      pipeline(Readable.from(Array(40).fill(Buffer.alloc(1024 * 1024, 0x20))), response, () => undefined);
    } else if (!place.startsWith('/silent/')) response.end(paths[place]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const textOf = async (kind: string) => metricsOf(await startExporter(`--agent=${base}/${kind}`));
    const good = await textOf('good');
    const escaped = 'a\\"} 1\\nmesos_up 7\\\\';
    expect(good).toContain(`mesos_container_processes{framework_id="${escaped}",executor_id="${escaped}"} 2`);
    await execa('promtool', ['check', 'metrics'], { input: good });
    for (const kind of ['moved', 'text', 'endless', 'silent']) {
      const text = await textOf(kind);
      expect(text, kind).toContain('mesos_up{component="agent",endpoint="/metrics/snapshot"} 0');
      expect(text, kind).toContain('mesos_up{component="agent",endpoint="/containers"} 0');
      expect(text, kind).not.toContain('mesos_agent_');
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

it('an agent that is killed is down, without old values, and the alerts fire; so are scheduler and master', async () => {
  const fires = (...names: string[]) =>
    expect.poll(() => prometheus.firing(), WITHIN).toEqual(expect.arrayContaining(names));
  await agent.kill('SIGKILL');
  const text = await metricsOf(exporter);
  expect(text).toContain('mesos_up{component="agent",endpoint="/metrics/snapshot"} 0');
  expect(text).toContain('mesos_up{component="master",endpoint="/metrics/snapshot"} 1');
  expect(text).not.toContain('mesos_agent_');
  await fires('MesosAgentDown', 'MesosAgentsUnreachable');
  await scheduler.kill();
  await fires('MesosupSchedulerDown', 'MesosFrameworksDisconnected');
  await master.kill('SIGKILL');
  await fires('MesosMasterDown', 'MesosNoLeader');
  await lb.end();
  await fires('MesosupLbDown');
  await exporter.kill();
  await fires('MesosExporterDown');
});

/** For each alert that no fault above causes: series with which it fires. */
const SERIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  MesosAgentNotRegistered: { mesos_agent_registered: '0+0x60' },
  MesosSeveralLeaders: { 'mesos_master_elected{i="1"}': '1+0x60', 'mesos_master_elected{i="2"}': '1+0x60' },
  MesosRegistryNotRecovered: { mesos_registrar_log_recovered: '0+0x60' },
  MesosAgentsDisconnected: { mesos_master_agents_disconnected: '2+0x60', mesos_master_elected: '1+0x60' },
  MesosCpusExhausted: {
    mesos_master_cpus_used: '95+0x60',
    mesos_master_cpus: '100+0x60',
    mesos_master_elected: '1+0x60',
  },
  MesosMemoryExhausted: {
    mesos_master_memory_used_bytes: '95+0x60',
    mesos_master_memory_bytes: '100+0x60',
    mesos_master_elected: '1+0x60',
  },
  MesosTasksFail: { 'mesos_master_tasks_ended_total{state="failed"}': '0+5x60' },
  MesosupSchedulerNotConnected: { mesosup_connected: '0+0x60' },
  MesosupTasksUnanswered: { mesosup_tasks_unanswered: '1+0x60' },
  MesosupInstancesMissing: { mesosup_queue_instances: '1+0x60' },
  MesosupDeploymentsStuck: { mesosup_deployments: '1+0x60' },
  MesosupStoreSlow: {
    'mesosup_store_append_duration_seconds_bucket{le="0.5"}': '0+1x60',
    'mesosup_store_append_duration_seconds_bucket{le="1"}': '0+60x60',
    'mesosup_store_append_duration_seconds_bucket{le="+Inf"}': '0+60x60',
  },
  MesosupCallsFail: { 'mesosup_mesos_call_failures_total{type="ACCEPT"}': '0+5x60' },
  HaproxyDown: { 'up{job="haproxy"}': '0+0x60' },
  MesosupLbSchedulerAway: { mesosup_lb_scheduler_last_answer_timestamp_seconds: '0+0x60' },
  MesosupLbRefused: { mesosup_lb_refused_configurations_total: '0+0x45 1+0x15' },
  MesosupLbFailures: { mesosup_lb_failures_total: '0+5x60' },
  MesosupLbProblems: { mesosup_lb_problems: '1+0x60' },
};

const isFiring = (alert: string) => `count(ALERTS{alertname="${alert}", alertstate="firing"}) or vector(0)`;

it('every other alert fires for its series at its own pace, and is quiet without', async () => {
  const file = path.join(programs.directory, 'alerts.test.yml');
  const tests = Object.entries(SERIES).map(([alert, series]) => ({
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      { eval_time: '50m', exp_samples: [{ labels: '{}', value: 1 }] },
      // None fires at the very beginning.
      { eval_time: '0m', exp_samples: [{ labels: '{}', value: 0 }] },
    ].map((one) => ({ ...one, expr: isFiring(alert) })),
  }));
  // The start of a load balancer, which has had no answer yet, between its answers every minute.
  const restarted = {
    interval: '1m',
    input_series: [
      { series: 'mesosup_lb_scheduler_last_answer_timestamp_seconds', values: '0+60x9 0 660+60x9' },
    ],
    promql_expr_test: ['10m', '11m'].map((eval_time) => ({
      eval_time,
      expr: isFiring('MesosupLbSchedulerAway'),
      exp_samples: [{ labels: '{}', value: 0 }],
    })),
  };
  const rule_files = [path.join(root, 'templates/monitoring/rules.yml')];
  await writeFile(file, stringify({ rule_files, tests: [...tests, restarted] }));
  await execa('promtool', ['test', 'rules', file], { all: true });
  const real = [
    'MesosAgentDown',
    'MesosAgentsUnreachable',
    'MesosupSchedulerDown',
    'MesosFrameworksDisconnected',
  ];
  real.push('MesosMasterDown', 'MesosNoLeader', 'MesosupLbDown', 'MesosExporterDown');
  const rules = (await alertRules()).map(({ alert }) => alert);
  expect(rules.toSorted()).toEqual([...Object.keys(SERIES), ...real].toSorted());
});
