/**
 * Counts failed requests through the load balancer while tasks of 50 services are replaced and apps come and go:
 * `npm run bench:lb [SECONDS]`. Needs haproxy, wrk and h2load of the distribution. Exits with 1 if a request failed.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { startFakeScheduler } from '../../contract/support/fake-scheduler.ts';
import { startLb } from '../../e2e/support/lb-process.ts';
import { balancedApp, snapshotOf } from '../../lb/snapshots.ts';
import { askHost } from '../../support/ask-host.ts';
import { freePorts } from '../../support/free-ports.ts';

const SERVICES = 50;
const TASKS = 8;
const CHANGE_EVERY_MS = 100;
/** Changes until an app comes or goes, which needs a reload. */
const CHANGES_PER_RELOAD = 40;

const seconds = Number(process.argv[2] ?? 30);
const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-lb-bench-'));
const servers = await Promise.all(
  Array.from({ length: TASKS }, async () => {
    const server = createServer((_, response) => response.end('ok\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }),
);
const taskPorts = servers.map((server) => (server.address() as AddressInfo).port);
const [first = 0, extra = 0] = await freePorts(2);
const scheduler = await startFakeScheduler();
let changes = 0;
const tell = () => {
  const apps = Array.from({ length: SERVICES }, (_, i) => {
    // Each change moves two tasks of one app to other addresses.
    const moved = Math.floor((changes + SERVICES - 1 - i) / SERVICES);
    const ports = [0, 1].map((k) => taskPorts[(i + k + moved * 2) % TASKS] ?? 0);
    const labels = { HAPROXY_0_VHOST: `web${i}.example` };
    return balancedApp(`/web${i}`, i === 0 ? first : 15_000 + i, ports, { run: i, labels });
  });
  const hasExtra = Math.floor(changes / CHANGES_PER_RELOAD) % 2 === 1;
  scheduler.answer = snapshotOf([
    ...apps,
    ...(hasExtra ? [balancedApp('/extra', extra, [], { run: 99 })] : []),
  ]);
  scheduler.notify();
};
tell();
const lb = await startLb(scheduler.url, directory);
while ((await askHost(lb.httpPort, 'web49.example').catch(() => undefined))?.status !== 200) await sleep(50);
const script = path.join(directory, 'hosts.lua');
await writeFile(
  script,
  `request = function() return wrk.format('GET', '/', { Host = 'web' .. math.random(0, ${SERVICES - 1}) .. '.example' }) end\n`,
);
const changing = setInterval(() => {
  changes += 1;
  tell();
}, CHANGE_EVERY_MS);
const url = `http://127.0.0.1:${lb.httpPort}/`;
const [wrk, h2load] = await Promise.all([
  execa('wrk', ['-t1', '-c16', `-d${seconds}s`, '-s', script, '--latency', url]),
  // Requests of HTTP/1.1, each client on a connection that it keeps.
  execa('h2load', ['--h1', '-t1', '-c8', `-D${seconds}`, `http://127.0.0.1:${first}/`]),
]);
clearInterval(changing);
const failed = /Socket errors.*|Non-2xx.*/.exec(wrk.stdout)?.[0];
const outcome = /^requests: .*$/m.exec(h2load.stdout)?.[0] ?? '';
console.log(wrk.stdout);
console.log(`h2load ${outcome}\n${/^status codes: .*$/m.exec(h2load.stdout)?.[0]}`);
const [reloads, runtime, sum, count] = await Promise.all(
  [
    'reloads_total',
    'runtime_changes_total',
    'event_to_traffic_seconds_sum',
    'event_to_traffic_seconds_count',
  ].map((name) => lb.metric(`mesosup_lb_${name}`)),
);
console.log(`${changes} changes, ${reloads} reloads, ${runtime} commands at run time`);
console.log(
  `mean time from event to traffic: ${Math.round((1000 * (sum ?? 0)) / (count ?? 1))} ms (of it 100 ms gathering)`,
);
await lb.stop();
scheduler.stop();
for (const server of servers) {
  server.closeAllConnections();
  server.close();
}
await rm(directory, { recursive: true, force: true });
if (failed !== undefined || !/ 0 failed, 0 errored, 0 timeout/.test(outcome)) {
  console.log(`failed: ${failed ?? outcome}`);
  process.exitCode = 1;
}
