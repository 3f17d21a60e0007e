/** Settings of the load balancer that concern servers, and faults, with the real haproxy. */

import { once } from 'node:events';
import { connect, createServer as createTcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { balancedApp } from '../lb/snapshots.ts';
import { freePorts } from '../support/free-ports.ts';
import { useLb } from './support/lb-setup.ts';

const t = useLb();

/** 10 minutes in a soak. */
const AWAY_MS = process.env.MESOSUP_SOAK_FACTOR === undefined ? 3000 : 600_000;

/** State and weight of the servers of a backend by name, as haproxy has them. */
async function serversOf(backend: string): Promise<Record<string, string>> {
  const [head = '', ...lines] = (await t.lb.haproxy.send([`show stat ${backend} 4 -1`])).trim().split('\n');
  const names = head.replace('# ', '').split(',');
  const column = (line: string, name: string) => line.split(',')[names.indexOf(name)] ?? '';
  return Object.fromEntries(
    lines.map((line) => [column(line, 'svname'), `${column(line, 'status')} ${column(line, 'weight')}`]),
  );
}

/** haproxy's processes that serve or have open connections. */
async function workers(): Promise<string[]> {
  const { stdout } = await execa('pgrep', ['-f', `haproxy .*-f ${t.directory}/haproxy.cfg`]);
  // One of them is the master.
  return stdout.trim().split('\n').slice(1);
}

it('with --checks, sends no connection to a task that does not accept any, also not to one that came later', async () => {
  const [port = 0, closed = 0] = await freePorts(2);
  const [a, b] = [await t.task('a'), await t.task('b')];
  t.tell(balancedApp('/web', port, [a, closed]));
  await t.start({ checks: '' });
  await t.serves(port, 'a');
  await t.until('haproxy has found the closed port', async () => {
    const { s1 = '', s2 = '' } = await serversOf('0_web');
    return s1.startsWith('UP') && s2.startsWith('DOWN');
  });
  // Without a reload: b takes the place of the closed one, and is checked at its own address.
  t.tell(balancedApp('/web', port, [b]));
  await t.until('b is checked', async () => (await serversOf('0_web')).s3?.startsWith('UP') === true);
  await t.serves(port, 'b');
  t.tell(balancedApp('/web', port, [a, b]));
  const names = new Set<string>();
  await t.until('both answer', async () => names.add(await t.nameAt(port)).size === 2);
  t.servers.at(-1)?.close();
  await t.until('b is found closed', async () =>
    Object.values(await serversOf('0_web')).some((state) => state.startsWith('DOWN')),
  );
  for (let i = 0; i < 10; i += 1) expect(await t.nameAt(port)).toBe('a');
  expect(await t.lb.metric('mesosup_lb_reloads_total')).toBe(1);
});

it('with --slow-start-ms, a task that was added has a small share first', async () => {
  const [port = 0] = await freePorts(1);
  const [a, b] = [await t.task('a'), await t.task('b')];
  t.tell(balancedApp('/web', port, [a]));
  await t.start({ 'slow-start-ms': '600000' });
  await t.serves(port, 'a');
  t.tell(balancedApp('/web', port, [a, b]));
  await t.until('b is added', async () => (await serversOf('0_web')).s2?.startsWith('no check') === true);
  const counts = { a: 0, b: 0 };
  for (let i = 0; i < 60; i += 1) counts[(await t.nameAt(port)) === 'a' ? 'a' : 'b'] += 1;
  expect(counts.b).toBeLessThan(15);
});

it('reaches tasks at addresses of their own, each at the same port', async () => {
  const [port = 0] = await freePorts(1);
  const own = await t.task('a', '127.0.3.1');
  const { promise, resolve } = Promise.withResolvers<void>();
  const second = createTcpServer((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\n{"name":"b"}'));
  t.servers.push(second);
  second.listen(own, '127.0.3.2', resolve);
  await promise;
  const at = (host: string) => ({ id: `t.${host}`, state: 'ready' as const, addresses: [`${host}:${own}`] });
  t.tell(balancedApp('/ip', port, [], { tasks: [at('127.0.3.1')] }));
  await t.start();
  await t.serves(port, 'a');
  t.tell(balancedApp('/ip', port, [], { tasks: [at('127.0.3.2')] }));
  await t.serves(port, 'b');
  expect(await t.lb.metric('mesosup_lb_reloads_total')).toBe(1);
});

it('keeps ports and their tasks together when an app changes the order of its ports', async () => {
  const [first = 0, second = 0] = await freePorts(2);
  const [a, b] = [await t.task('a'), await t.task('b')];
  const app = (ports: readonly number[], addresses: readonly number[]) =>
    balancedApp('/two', first, [], {
      ports: ports.map((servicePort) => ({ servicePort, protocol: 'tcp' })),
      tasks: [{ id: 't', state: 'ready', addresses: addresses.map((one) => `127.0.0.1:${one}`) }],
    });
  t.tell(app([first, second], [a, b]));
  await t.start({ 'reload-interval-ms': '100' });
  await t.serves(first, 'a');
  t.tell(app([second, first], [b, a]));
  await t.until('haproxy was reloaded', async () => (await t.lb.metric('mesosup_lb_reloads_total')) === 2);
  expect([await t.nameAt(first), await t.nameAt(second)]).toEqual(['a', 'b']);
});

it('ends processes that have no connections, and after --max-reloads the oldest that has', async () => {
  const echo = createTcpServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  t.servers.push(echo);
  const { port: echoPort } = echo.address() as { port: number };
  const ports = await freePorts(7);
  const [port = 0, ...more] = ports;
  const apps = (count: number) => [
    balancedApp('/echo', port, [echoPort]),
    ...more.slice(0, count).map((one, i) => balancedApp(`/app${i}`, one, [echoPort], { run: 2 + i })),
  ];
  t.tell(...apps(0));
  await t.start({ 'reload-interval-ms': '0', 'max-reloads': '4' });
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  const isAlive = async (socket: Socket) => {
    socket.write('x');
    await once(socket, 'data', { signal: AbortSignal.timeout(5000) });
    return true;
  };
  const reload = async (count: number) => {
    t.tell(...apps(count));
    await t.until(`reload ${count}`, async () => (await t.lb.metric('mesosup_lb_reloads_total')) > count);
  };
  await t.until('the port answers', async () => isAlive(await open()));
  const socket = await open();
  expect(await isAlive(socket)).toBe(true);
  for (const count of [1, 2, 3]) await reload(count);
  expect(await isAlive(socket)).toBe(true);
  // That of the connection, and the present one.
  await t.until('others have ended', async () => (await workers()).length <= 3);
  const closed = once(socket, 'close');
  for (const count of [4, 5, 6]) await reload(count);
  await closed;
  expect(await isAlive(await open())).toBe(true);
});

it(
  'serves while the scheduler is away, also if haproxy and the program die meanwhile, and takes up its changes',
  async () => {
    const [port = 0] = await freePorts(1);
    const [a, b] = [await t.task('a'), await t.task('b')];
    const check = { ports: [{ servicePort: port, protocol: 'tcp', checkProtocol: 'HTTP' }] };
    t.tell(balancedApp('/web', port, [a], check));
    await t.start();
    await t.serves(port, 'a');
    t.scheduler.answer = undefined;
    t.scheduler.notify();
    const end = Date.now() + AWAY_MS;
    const ask = async (until: number) => {
      while (Date.now() < until) {
        expect(await t.nameAt(port)).toBe('a');
        await sleep(20);
      }
    };
    await ask(end - AWAY_MS / 2);
    await t.lb.end('SIGKILL');
    t.lb.begin();
    await ask(end - AWAY_MS / 4);
    await t.lb.haproxy.stop();
    await t.serves(port, 'a');
    await ask(end);
    const cause = /"level":40.*haproxy keeps its servers/;
    await t.until('the log names the cause', async () => cause.test(t.lb.log.join('\n')));
    t.tell(balancedApp('/web', port, [b], check));
    await t.serves(port, 'b');
  },
  AWAY_MS + 120_000,
);
