/**
 * Counts failed requests through the load balancer while apps of real containers are scaled, rolled out, killed, moved
 * to the other agent, and the scheduler fails over: `npm run bench:lb-tasks [SECONDS] [SERVICES]`. Prints the times from a healthy task to its first
 * request. With MARATHON_LB=DIRECTORY, a checkout of mesosphere/marathon-lb, that serves the same apps at the same time;
 * needs python3-pycurl, python3-dateutil, python3-requests, python3-jwt. Exits with 1 if a request of ours failed.
 */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient } from '../../../src/client/api-client.ts';
import { describeEmbedded, startEmbedded, stopEmbedded } from '../../contract/support/embedded.ts';
import { selfSigned } from '../../contract/support/self-signed.ts';
import { BUSYBOX, makeTestImages } from '../../e2e/support/busybox-image.ts';
import { startLb } from '../../e2e/support/lb-process.ts';
import { requestText } from '../../e2e/support/request-text.ts';
import { settled, startSchedulerCluster } from '../../e2e/support/scheduler-cluster.ts';
import { freePorts } from '../../support/free-ports.ts';
import { h2load, needPrograms, wrkHosts } from './load.ts';
import { startMarathonLb } from './marathon-lb.ts';

const SETTLE_MS = 600_000;
/** Apps that change while they are asked. */
const CHANGING = 8;
const PROBE_MS = 10;
/** Not the address of other load balancers on this machine: haproxies of one user can share ports. */
const OURS = '127.0.0.3';
const THEIRS = '127.0.0.2';

const seconds = Number(process.argv[2] ?? 600);
const services = Number(process.argv[3] ?? 50);
await needPrograms('wrk', 'h2load');
await makeTestImages();
const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-tasks-'));
const [apiPort = 0] = await freePorts(1);
// Not those that the kernel chooses: several haproxies of a user can listen on the same port.
const servicePorts = Array.from({ length: services }, (_, i) => 15_000 + i);
const cluster = await startSchedulerCluster({ http_port: String(apiPort), failover_timeout: '100' });
const other = await describeEmbedded(path.join(directory, 'agent'));
const second = {
  ...other,
  master: cluster.mesos.master,
  agentFlags: cluster.mesos.agentFlags,
  resources: 'cpus:8;mem:8192;disk:10000;ports:[30000-30999]',
};
await startEmbedded(second, 'agent');
const client = new ApiClient({ urls: [cluster.url] });

/** A web server that answers with its task's id, and serves for some more seconds after SIGTERM. */
function web(i: number, instances: number, version: number) {
  return {
    id: `/web${i}`,
    cmd: `trap 'sleep 6; exit 0' TERM; mkdir /tmp/www; echo $MESOS_TASK_ID > /tmp/www/index.html; httpd -f -p $PORT0 -h /tmp/www & wait`,
    container: { type: 'DOCKER', docker: { image: BUSYBOX } },
    cpus: 0.02,
    mem: 16,
    instances,
    env: { VERSION: String(version) },
    portDefinitions: [{ port: servicePorts[i] }],
    labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: `web${i}.example` },
    taskKillGracePeriodSeconds: 30,
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    healthChecks: [
      {
        protocol: 'MESOS_HTTP',
        path: '/',
        portIndex: 0,
        intervalSeconds: 1,
        delaySeconds: 0,
        gracePeriodSeconds: 120,
      },
    ],
  };
}

async function api(method: string, route: string, body?: unknown): Promise<unknown> {
  for (const end = Date.now() + 60_000; ; ) {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    const answer = await fetch(cluster.url + route, init).catch(() => undefined);
    if (answer?.ok) return answer.json();
    // The scheduler may be failing over.
    if (Date.now() > end) throw new Error(`${method} ${route}: ${answer?.status} ${await answer?.text()}`);
    await answer?.body?.cancel();
    await sleep(500);
  }
}

console.log(`starting ${services + CHANGING} containers`);
for (let i = 0; i < services; i += 1) await api('POST', '/v2/apps', web(i, i < CHANGING ? 2 : 1, 0));
await settled(cluster.url, SETTLE_MS);

const certificates = path.join(directory, 'certificates');
await mkdir(certificates);
await selfSigned(certificates, 'web0');
const lb = await startLb(cluster.url, path.join(directory, 'lb'), {
  address: OURS,
  'certificate-dir': certificates,
});
const [one = 0, two = 0, three = 0] = await freePorts(3);
const checkout = process.env.MARATHON_LB;
const rival =
  checkout === undefined
    ? undefined
    : await startMarathonLb(
        checkout,
        cluster.url,
        THEIRS,
        [one, two, three],
        path.join(directory, 'marathon-lb'),
      );
const statusAt = async (address: string) =>
  (await fetch(`http://${address}:${servicePorts[services - 1]}/`)).status;
const isServed = async (ask: () => Promise<number>) => {
  for (const end = Date.now() + 120_000; ; ) {
    if ((await ask().catch(() => 0)) === 200) return true;
    if (Date.now() > end) return false;
    await sleep(100);
  }
};
if (!(await isServed(() => statusAt(OURS)))) throw new Error(lb.log.join('\n'));

const serves = rival !== undefined && (await isServed(() => statusAt(THEIRS)));
if (rival && !serves) console.log(`marathon-lb does not serve: see ${directory}/marathon-lb/log`);

/** When each task was reported healthy, and first seen at each balancer. */
const healthy = new Map<string, number>();
const seen = { ours: new Map<string, number>(), theirs: new Map<string, number>() };
const stopped = new AbortController();
const listen = async () => {
  while (!stopped.signal.aborted) {
    const query = { event_type: ['health_status_changed_event'], 'plan-format': 'light' };
    try {
      for await (const { data } of client.events('/v2/events', { query }, { signal: stopped.signal })) {
        const event = typeof data === 'string' ? JSON.parse(data) : data;
        if (event.alive && !healthy.has(event.taskId)) healthy.set(event.taskId, Date.now());
      }
    } catch {
      // The scheduler fails over.
    }
    await sleep(100);
  }
};
const probe = async (host: string, port: number | undefined, times: Map<string, number>) => {
  const agent = new Agent();
  while (!stopped.signal.aborted) {
    const task = (await requestText(`http://${host}:${port}/`, agent)).trim();
    if (!times.has(task)) times.set(task, Date.now());
    await sleep(PROBE_MS);
  }
};
const watching = [
  listen(),
  ...servicePorts
    .slice(0, CHANGING)
    .flatMap((port) => [probe(OURS, port, seen.ours), ...(serves ? [probe(THEIRS, port, seen.theirs)] : [])]),
];
await sleep(1000);
for (const times of Object.values(seen)) for (const task of times.keys()) healthy.delete(task);
const early = new Set([...seen.ours.keys(), ...seen.theirs.keys()]);

const counts = { scaled: 0, 'rolled out': 0, killed: 0, moved: 0, 'failed over': 0 };
interface Drained {
  readonly id: string;
  readonly tasks: number;
}
/** Moves all tasks of the agent with the most to the other. */
const move = async () => {
  const { agents } = (await api('GET', '/v2/agents')) as { agents: Drained[] };
  const full = agents.toSorted((a, b) => b.tasks - a.tasks)[0];
  if (!full) return;
  const route = `/v2/agents/${full.id}/drain`;
  await api('POST', route);
  for (let left = Number.POSITIVE_INFINITY; left > 0; await sleep(500)) {
    const { moving } = (await api('GET', route)) as { moving: number };
    left = moving;
  }
  await fetch(cluster.url + route, { method: 'DELETE' });
  counts.moved += full.tasks;
};
const end = Date.now() + seconds * 1000;
const change = async () => {
  for (let round = 0; Date.now() < end - 30_000; round += 1) {
    const i = round % CHANGING;
    const version = Math.floor(round / CHANGING) + 1;
    await api('PUT', `/v2/apps/web${i}?force=true`, web(i, 3, version - 1));
    counts.scaled += 1;
    await settled(cluster.url, SETTLE_MS);
    await api('PUT', `/v2/apps/web${i}?force=true`, web(i, 3, version));
    counts['rolled out'] += 1;
    if (round % 3 === 2) {
      await sleep(1000);
      await cluster.failOver();
      counts['failed over'] += 1;
    }
    if (round % 4 === 3) await move();
    await settled(cluster.url, SETTLE_MS);
    const { tasks } = (await api('GET', `/v2/apps/web${i}/tasks`)) as { tasks: { id: string }[] };
    await api('POST', '/v2/tasks/delete', { ids: [tasks[0]?.id] });
    counts.killed += 1;
    await api('PUT', `/v2/apps/web${i}?force=true`, web(i, 2, version));
    counts.scaled += 1;
    await settled(cluster.url, SETTLE_MS);
  }
};
const hosts = servicePorts.map((_, i) => `web${i}.example`);
const https = `https://web0.example:${lb.httpsPort}/`;
const [, ours, secure, theirs] = await Promise.all([
  change(),
  wrkHosts(`http://${OURS}:${lb.httpPort}/`, hosts, seconds, directory),
  h2load(https, seconds, [`--connect-to=${OURS}:${lb.httpsPort}`]),
  serves ? wrkHosts(`http://${THEIRS}:${rival.httpPort}/`, hosts, seconds, directory) : undefined,
]);
stopped.abort();
await Promise.all(watching);

/** Median and 99th percentile of the milliseconds from healthy to the first answer. */
function delays(times: ReadonlyMap<string, number>): string {
  const all = [...times]
    .flatMap(([task, at]) => {
      const from = healthy.get(task);
      return from === undefined || early.has(task) ? [] : [Math.max(0, at - from)];
    })
    .sort((a, b) => a - b);
  const at = (share: number) => all[Math.min(all.length - 1, Math.floor(all.length * share))];
  return `${all.length} new tasks, healthy to first request: median ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}
/** Errors of probes have no task's id. */
const errors = (times: ReadonlyMap<string, number>) =>
  [...times.keys()].filter((task) => !task.startsWith('web'));

console.log(
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', '),
);
console.log(`mesosup lb: ${ours.text}\n  ${secure.text}\n  ${delays(seen.ours)}`);
const [reloads, runtime] = await Promise.all(
  ['reloads_total', 'runtime_changes_total'].map((name) => lb.metric(`mesosup_lb_${name}`)),
);
console.log(
  `  ${reloads} reloads, ${runtime} commands at run time; probes failed with ${JSON.stringify(errors(seen.ours))}`,
);
if (theirs && rival) {
  console.log(`marathon-lb: ${theirs.text}\n  ${delays(seen.theirs)}`);
  console.log(
    `  ${await rival.reloads()} reloads; probes failed with ${JSON.stringify(errors(seen.theirs))}`,
  );
}
await rival?.stop();
await lb.stop();
await cluster.stop();
await stopEmbedded(second);
await rm(directory, { recursive: true, force: true });
if (ours.failed + secure.failed + errors(seen.ours).length > 0) process.exitCode = 1;
