/**
 * The phases of a rotation of secrets with a master, an agent, a scheduler and a container: each program reads the files
 * that the installer writes for the phase, and restarts if the installer restarts it. `hosts/secrets.test.ts` does the
 * same on hosts.
 */

import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  beginRotation,
  type KeptSecrets,
  nextPhase,
  ROTATABLE,
  remainingPhases,
  secretsFrom,
} from '../../../src/cluster/rotation.ts';
import { reveal, type Secrets, withoutDerived } from '../../../src/cluster/secrets.ts';
import { apiUser, operator } from '../../../src/install/operator.ts';
import { planPhases } from '../../../src/install/rotation-phases.ts';
import { wantedResources } from '../../../src/install/wanted/wanted.ts';
import { basicAuthorization } from '../../../src/mesos/http.ts';
import {
  describeEmbedded,
  type Embedded,
  restartEmbedded,
  startEmbedded,
  stopEmbedded,
} from '../../contract/support/embedded.ts';
import { type SchedulerProcess, startScheduler } from '../../contract/support/zookeeper-schedulers.ts';
import {
  bareHosts,
  clusterOf,
  secrets as first,
  hostOf,
  payload,
  sha256,
  templates,
} from '../../install/hosts.ts';
import { until } from '../demo-cluster.ts';
import { makeExecutorDist } from '../support/executor-process.ts';
import { makeTaskImages, taskImage } from '../support/task-images.ts';

const host = hostOf('h1', { roles: ['master', 'scheduler', 'agent'] });
const cluster = clusterOf([host], { monitoring: { listen: 'loopback', port: 9105 } });
const input = { cluster, facts: bareHosts(cluster), templates, payload, sha256 };
/** Other tests may use the same engine. */
const APP = `kept-${randomBytes(4).toString('hex')}`;

/** The files that the programs read, by their names in the directory of the test. */
const FILES = {
  'master-credentials': '/etc/mesosup/master-credentials',
  'master-acls': '/etc/mesosup/master-acls',
  credential: '/etc/mesosup/agent-credential',
  'http-credentials': '/etc/mesosup/agent-http-credentials',
  'agent-acls': '/etc/mesosup/agent-acls',
  'executor-key': '/etc/mesosup/executor-key',
  secret: '/etc/mesosup/scheduler/secret',
  agents: '/etc/mesosup/scheduler/agents',
  api: '/etc/mesosup/scheduler/api',
};

let directory: string;
let dist: string;
let mesos: Embedded;
let scheduler: SchedulerProcess;
let url: string;

const at = (name: keyof typeof FILES) => path.join(directory, name);
const complete = (kept: KeptSecrets) =>
  secretsFrom(kept, (key, text) => createHmac('sha256', key).update(text).digest('base64url'));

async function writeFiles(secrets: Secrets): Promise<void> {
  const wanted = wantedResources({ ...input, host, running: true, secrets });
  for (const [name, file] of Object.entries(FILES)) {
    const found = wanted.find((one) => one.kind === 'file' && one.path === file);
    if (found?.kind !== 'file') throw new Error(`the installer writes no ${file}`);
    await writeFile(path.join(directory, name), reveal(found.content, secrets), { mode: 0o600 });
  }
}

async function beginScheduler(): Promise<void> {
  scheduler = startScheduler(
    ...[
      '--master',
      mesos.master,
      '--http_address',
      '127.0.0.1',
      '--data_dir',
      path.join(directory, 'scheduler'),
    ],
    ...['--docker_executor', path.join(dist, 'executors/docker')],
    ...['--mesos_authentication_principal', 'mesosup', '--mesos_authentication_secret_file', at('secret')],
    ...['--agent_credential_file', at('agents'), '--http_credentials_file', at('api')],
  );
  url = await scheduler.url();
}

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'secret-phases-'));
  await makeTaskImages('web');
  dist = await makeExecutorDist();
  await writeFiles(first);
  mesos = await describeEmbedded(path.join(directory, 'mesos'));
  mesos.masterFlags = [
    '--authenticate_agents',
    '--authenticate_http_frameworks',
    '--http_framework_authenticators=basic',
    '--authenticate_http_readonly',
    '--authenticate_http_readwrite',
    `--credentials=${at('master-credentials')}`,
    `--acls=${at('master-acls')}`,
  ];
  mesos.agentFlags = [
    `--credential=${at('credential')}`,
    '--authenticate_http_readonly',
    '--authenticate_http_readwrite',
    '--authenticate_http_executors',
    `--http_credentials=${at('http-credentials')}`,
    `--acls=${at('agent-acls')}`,
    `--jwt_secret_key=${at('executor-key')}`,
    '--executor_reregistration_timeout=10secs',
    `--executor_environment_variables=${JSON.stringify({ MESOSUP_EXECUTOR_KEY_FILE: at('executor-key') })}`,
  ];
  await startEmbedded(mesos, 'master');
  await startEmbedded(mesos, 'agent');
  await beginScheduler();
});
afterAll(async () => {
  const answer = await call(present, 'DELETE', `/v2/apps/${APP}?force=true`).catch(() => null);
  if (answer?.ok) await until('the container ends', async () => (await containers()) === '').catch(() => {});
  await scheduler?.kill();
  if (mesos) await stopEmbedded(mesos);
  await rm(dist, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

/** The secrets that clients use at present. */
let present = first;

function call(secrets: Secrets, method: string, route: string, body?: unknown): Promise<Response> {
  const { user, password } = apiUser(secrets);
  return fetch(`${url}${route}`, {
    method,
    headers: {
      authorization: basicAuthorization({ principal: user, secret: password }),
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function statusAt(address: string, route: string, user: string, secret: string): Promise<number> {
  const answer = await fetch(`http://${address}${route}`, {
    headers: { authorization: basicAuthorization({ principal: user, secret }) },
  });
  await answer.body?.cancel();
  return answer.status;
}

/** The id of the container. */
async function containers(): Promise<string> {
  const format = '{{.ID}} {{.Label "mesosup.task"}}';
  const { stdout } = await execa('docker', [
    'ps',
    '--no-trunc',
    '--filter',
    'label=mesosup.task',
    '--format',
    format,
  ]);
  return stdout
    .split('\n')
    .filter((line) => line.includes(` ${APP}.`))
    .map((line) => line.split(' ')[0])
    .join();
}

/** The agent is registered, the framework subscribed, and the task runs. */
async function works(secrets: Secrets): Promise<void> {
  const { user, password } = operator(secrets);
  const asked = async (route: string) => {
    const answer = await fetch(`http://${mesos.master}${route}`, {
      headers: { authorization: basicAuthorization({ principal: user, secret: password }) },
    });
    if (!answer.ok) throw new Error(`${route}: ${answer.status}`);
    return (await answer.json()) as Record<string, number>;
  };
  await until(
    'agent and framework are connected',
    async () => {
      const metrics = await asked('/metrics/snapshot').catch(() => ({}) as Record<string, number>);
      return metrics['master/slaves_active'] === 1 && metrics['master/frameworks_active'] === 1;
    },
    60_000,
  );
  await until(
    'the task runs',
    async () => {
      const tasks = await call(secrets, 'GET', `/v2/apps/${APP}/tasks`);
      const { tasks: found = [] } = (await tasks.json()) as { tasks?: { id: string; state: string }[] };
      return found.length === 1 && found[0]?.state === 'TASK_RUNNING';
    },
    60_000,
  );
}

it('keeps the container and its scheduler in each phase, and refuses the old secrets afterwards', async () => {
  const app = {
    id: `/${APP}`,
    instances: 1,
    cpus: 0.1,
    mem: 32,
    container: { docker: { image: taskImage('web'), network: 'BRIDGE' } },
  };
  const made = await call(first, 'POST', '/v2/apps', app);
  expect(made.status, await made.text()).toBe(201);
  await until('a container runs', async () => (await containers()) !== '', 60_000);
  await works(first);
  const was = await containers();
  const kept: KeptSecrets = { values: withoutDerived(first), generations: {}, since: {} };
  const begun = beginRotation(
    kept,
    Object.fromEntries(ROTATABLE.map((name) => [name, `fresh-${name}-${'x'.repeat(20)}`])),
  );
  const phases = remainingPhases(begun, 0).map((one) => ({ phase: one.phase, secrets: complete(one.kept) }));
  const plan = planPhases(input, complete(kept), phases);
  for (const [index, { phase, secrets }] of phases.entries()) {
    await writeFiles(secrets);
    const restarts = plan[index]?.hosts[0]?.restarts ?? [];
    // In the order in which the installer restarts services of one host.
    if (restarts.includes('mesos-master')) await restartEmbedded(mesos, 'master');
    if (restarts.includes('mesos-agent')) await restartEmbedded(mesos, 'agent');
    if (restarts.includes('mesosup-scheduler')) {
      await scheduler.kill();
      await beginScheduler();
    }
    present = secrets;
    await works(secrets);
    expect([phase, await containers()]).toEqual([phase, was]);
  }
  const end = complete(nextPhase(remainingPhases(begun, 0).at(-1)?.kept ?? kept, 0));
  const { user, password } = operator(end);
  expect(user).toBe('operator-2');
  for (const address of [mesos.master, mesos.agent]) {
    expect(await statusAt(address, '/state', user, password)).toBe(200);
    expect(await statusAt(address, '/state', 'operator', first.operator)).toBe(401);
  }
  expect((await call(end, 'GET', '/v2/info')).status).toBe(200);
  expect((await call(first, 'GET', '/v2/info')).status).toBe(401);
  expect(await statusAt(mesos.agent, '/files/browse?path=/x', 'mesosup-files-2', end.files)).toBe(404);
  expect(await statusAt(mesos.agent, '/files/browse?path=/x', 'mesosup-files', first.files)).toBe(401);
});
