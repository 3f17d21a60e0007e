/** The DNS server of the load balancer, asked with dig. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BalancedApp } from '../../src/lb/snapshot.ts';
import { type LbProcess, startLb } from '../e2e/support/lb-process.ts';
import { balancedApp, snapshotOf } from '../lb/snapshots.ts';
import { freePorts } from '../support/free-ports.ts';
import { type FakeScheduler, startFakeScheduler } from './support/fake-scheduler.ts';

let directory: string;
let scheduler: FakeScheduler;
let lb: LbProcess;
let port: number;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-dns-'));
  scheduler = await startFakeScheduler();
  [port = 0] = await freePorts(1);
});
afterEach(async () => {
  await lb?.stop();
  scheduler.stop();
  await rm(directory, { recursive: true, force: true });
});

function tell(...apps: readonly BalancedApp[]): void {
  scheduler.answer = snapshotOf(apps);
  scheduler.notify();
}

/** The tasks are at these addresses. */
function app(servicePort: number, ...addresses: readonly string[]): BalancedApp {
  const tasks = addresses.map((one) => ({
    id: `multidis.${one}`,
    host: one.replace(/:.*/, ''),
    state: 'ready' as const,
    addresses: [one],
  }));
  const ports = [{ servicePort, protocol: 'tcp', name: 'redis' }];
  return balancedApp('/multidis', servicePort, [], { tasks, ports });
}

/** @returns the lines of the answer, sorted */
async function dig(name: string, type: string, ...options: readonly string[]): Promise<string[]> {
  const words = ['@127.0.0.1', '-p', String(port), '+time=2', '+tries=1', ...options, name, type];
  const { stdout } = await execa('dig', ['+short', ...words], { reject: false });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** @returns milliseconds until the answer is that */
async function answers(expected: readonly string[], ask: () => Promise<readonly string[]>): Promise<number> {
  const begin = performance.now();
  for (;;) {
    const answer = await ask();
    if (JSON.stringify(answer) === JSON.stringify(expected)) return performance.now() - begin;
    if (performance.now() - begin > 30_000)
      throw new Error(`${answer} instead of ${expected}\n${lb.log.join('\n')}`);
    await sleep(10);
  }
}

const A = () => dig('multidis.marathon.mesos', 'A');
/** The addresses of the targets. */
const SRV = async () => {
  const lines = await dig('_redis._multidis._tcp.marathon.mesos', 'SRV');
  return Promise.all(
    lines.map(async (line) => {
      const [, , taskPort, target = ''] = line.split(' ');
      return `${await dig(target, 'A')}:${taskPort}`;
    }),
  ).then((all) => all.sort());
};

it('gives A and SRV of running healthy tasks soon after a change, and goes on without the scheduler', async () => {
  const [servicePort = 0] = await freePorts(1);
  tell(app(servicePort, '10.0.0.1:31000'));
  lb = await startLb(scheduler.url, directory, { dns: `127.0.0.1:${port}` });
  await answers(['10.0.0.1'], A);
  const times: number[] = [];
  for (let i = 2; i < 12; i += 1) {
    tell(app(servicePort, `10.0.0.${i}:${31_000 + i}`, '10.0.1.1:31000'));
    const changed = await Promise.all([
      answers([`10.0.0.${i}`, '10.0.1.1'], A),
      answers([`10.0.0.${i}:${31_000 + i}`, '10.0.1.1:31000'], SRV),
    ]);
    times.push(...changed);
  }
  const sorted = times.toSorted((a, b) => a - b).map(Math.round);
  console.info(`ms from a change to the answer of dig: median ${sorted[10]}, longest ${sorted.at(-1)}`);
  const first = await dig('_multidis._tcp.marathon.mesos', 'SRV');
  scheduler.answer = undefined;
  scheduler.notify();
  await sleep(300);
  expect(await A()).toEqual(['10.0.0.11', '10.0.1.1']);
  await lb.end('SIGKILL');
  lb.begin();
  await answers(first, () => dig('_multidis._tcp.marathon.mesos', 'SRV'));
  // A new leader that does not know all tasks yet.
  scheduler.answer = snapshotOf([], { unanswered: 3 });
  scheduler.notify();
  await sleep(300);
  expect(await A()).toEqual(['10.0.0.11', '10.0.1.1']);
  tell();
  await answers([], A);
}, 240_000);

it('answers by TCP, in the letters of the question, and with the codes of the protocol', async () => {
  const addresses = Array.from({ length: 40 }, (_, i) => `10.0.0.${i + 1}:31000`);
  tell(app(10_445, ...addresses));
  lb = await startLb(scheduler.url, directory, { dns: `127.0.0.1:${port}`, 'dns-ttl': '9' });
  // More than a packet of UDP: dig asks again by TCP.
  const name = '_multidis._tcp.marathon.mesos';
  await answers(
    addresses.map(() => '31000'),
    async () => (await dig(name, 'SRV')).map((line) => line.split(' ')[2] ?? ''),
  );
  expect((await dig(name, 'SRV', '+ignore')).length).toBeLessThan(40);
  expect((await dig(name, 'SRV', '+tcp')).length).toBe(40);
  const full = async (...words: string[]) =>
    (await execa('dig', ['@127.0.0.1', '-p', String(port), '+time=2', '+tries=1', ...words])).stdout;
  const answer = await full('+ignore', '+noedns', 'MULTIdis.marathon.MESOS', 'A');
  expect(answer).toMatch(/flags: qr aa tc rd/);
  expect(answer).toMatch(/^MULTIdis\.marathon\.MESOS\.\s+9\s+IN\s+A\s+10\.0\.0\.\d+$/m);
  expect(await full('none.marathon.mesos', 'A')).toMatch(
    /status: NXDOMAIN[\s\S]*SOA\s+ns1\.mesos\. root\.ns1\.mesos\./,
  );
  expect(await full('example.com', 'A')).toMatch(/status: REFUSED/);
  expect(await full('+edns=1', '+noednsneg', 'mesos', 'SOA')).toMatch(/status: BADVERS/);
  expect(await lb.metric('mesosup_lb_dns_answers_total{rcode="NXDOMAIN"}')).toBe(1);
});

it('forwards queries for other domains, and says so if the other server does not answer', async () => {
  const [otherPort = 0] = await freePorts(1);
  const [first, second] = [path.join(directory, 'first'), path.join(directory, 'second')];
  tell(app(10_445, ...Array.from({ length: 40 }, (_, i) => `10.0.0.${i + 1}:31000`)));
  const other = await startLb(scheduler.url, first, {
    dns: `127.0.0.1:${otherPort}`,
    'dns-domain': 'other.example',
  });
  try {
    const forward = { dns: `127.0.0.1:${port}`, 'dns-forward': `127.0.0.1:${otherPort}` };
    lb = await startLb(scheduler.url, second, { ...forward, address: '127.0.0.2' });
    const names = () => dig('_multidis._tcp.marathon.other.example', 'SRV');
    await answers(addressPorts(40), async () => (await names()).map((line) => line.split(' ')[2] ?? ''));
    expect(await dig('multidis.marathon.mesos', 'A', '+tcp')).toHaveLength(40);
    const full = async (...words: string[]) =>
      (await execa('dig', ['@127.0.0.1', '-p', String(port), '+time=5', '+tries=1', ...words])).stdout;
    expect(await full('none.other.example', 'A')).toMatch(/status: NXDOMAIN/);
    expect(await full('multidis.marathon.mesos', 'A', '+tcp')).toMatch(/flags: qr aa rd ra;/);
    await other.stop();
    expect(await full('a.other.example', 'A')).toMatch(/status: SERVFAIL/);
    expect(await full('a.other.example', 'A', '+tcp')).toMatch(/status: SERVFAIL/);
  } finally {
    await other.stop();
  }
});

function addressPorts(count: number): string[] {
  return Array.from({ length: count }, () => '31000');
}

it('goes on after hostile packets and connections', async () => {
  tell(app(10_445, '10.0.0.1:31000'));
  lb = await startLb(scheduler.url, directory, { dns: `127.0.0.1:${port}` });
  await answers(['10.0.0.1'], A);
  const udp = createSocket('udp4');
  for (let i = 0; i < 3000; i += 1) {
    const packet = Buffer.from(Array.from({ length: 1 + (i % 90) }, (_, k) => (i * 31 + k * k * 7) % 256));
    await new Promise((resolve) => udp.send(packet, port, '127.0.0.1', resolve));
  }
  udp.close();
  const sockets = Array.from({ length: 250 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await once(sockets[0] ?? udp, 'connect');
  for (const [i, socket] of sockets.entries())
    socket.write(i % 2 === 0 ? Buffer.from([255, 255, 1]) : Buffer.from([0]));
  await sleep(300);
  // The second of the limit for one client is over, too.
  await answers(['10.0.0.1'], A);
  for (const socket of sockets) socket.destroy();
  await answers(['10.0.0.1'], () => dig('multidis.marathon.mesos', 'A', '+tcp'));
});

it('names the address that another program uses', async () => {
  const other = createSocket('udp4');
  await new Promise<void>((resolve) => other.bind(port, '127.0.0.1', resolve));
  scheduler.answer = snapshotOf([]);
  lb = await startLb(scheduler.url, directory, { dns: `127.0.0.1:${port}` });
  while (!lb.log.join('\n').includes(`can't listen on 127.0.0.1:${port} for DNS: EADDRINUSE`))
    await sleep(50);
  other.close();
});
