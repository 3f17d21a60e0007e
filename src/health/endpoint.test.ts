import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { HealthCheck } from '../mesos/types.ts';
import { checkEndpoint } from './endpoint.ts';

const open: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  open.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const serving = (listener: RequestListener) => listening(createServer(listener));
const never = new AbortController().signal;
const look = (check: HealthCheck, more: Partial<Parameters<typeof checkEndpoint>[1]> = {}) =>
  checkEndpoint(check, { signal: never, ...more });
const http = (port: number, more: Partial<NonNullable<HealthCheck['http']>> = {}): HealthCheck => ({
  type: 'HTTP',
  http: { port, ...more },
});
const tcp = (port: number): HealthCheck => ({ type: 'TCP', tcp: { port } });
const PASSED = { type: 'passed' };
const failed = (why: string) => ({ type: 'failed', why });

/** A port without a listener. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
}

describe('HTTP', () => {
  test.each([
    [200, true],
    [204, true],
    [302, true],
    [399, true],
    [400, false],
    [404, false],
    [500, false],
    [503, false],
  ])('%i is healthy: %s', async (status, healthy) => {
    const port = await serving((_, response) => response.writeHead(status).end());
    expect(await look(http(port))).toEqual(healthy ? PASSED : failed(`HTTP ${status}`));
  });

  test('requests the path, and follows no redirect', async () => {
    const asked: string[] = [];
    const port = await serving((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['user-agent']}`);
      response.writeHead(301, { Location: '/elsewhere' }).end();
    });
    expect(await look(http(port, { path: '/a?b=c' }))).toEqual(PASSED);
    expect(asked).toEqual(['GET /a?b=c mesosup-health-check']);
  });

  test('uses the check’s statuses if enabled', async () => {
    const port = await serving((_, response) => response.writeHead(418).end());
    const check = http(port, { statuses: [418] });
    expect(await look(check, { readsStatuses: true })).toEqual(PASSED);
    expect(await look(check)).toEqual(failed('HTTP 418'));
    expect(await look(http(port, { statuses: [200] }), { readsStatuses: true })).toEqual(failed('HTTP 418'));
  });

  test('does not wait for the end of the answer', async () => {
    const port = await serving((_, response) => response.writeHead(200).write('and on'));
    expect(await look(http(port))).toEqual(PASSED);
  });

  test('accepts any certificate over TLS', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-tls-'));
    const file = (name: string) => path.join(directory, name);
    const subject = ['-subj', '/CN=somebody-else', '-keyout', file('key'), '-out', file('cert')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject], {
      stdio: 'ignore',
    });
    const pair = { key: readFileSync(file('key')), cert: readFileSync(file('cert')) };
    rmSync(directory, { recursive: true });
    const port = await listening(createSecureServer(pair, (_, response) => response.end()));
    expect(await look(http(port, { scheme: 'https' }))).toEqual(PASSED);
    expect(await look(http(port))).toMatchObject({ type: 'failed' });
  });

  test('reports the reason of a failure', async () => {
    expect(await look(http(await closedPort()))).toEqual(failed('connection refused'));
    const silent = await serving(() => {});
    expect(await look({ ...http(silent), timeout_seconds: 0.1 })).toEqual(failed('timed out after 0.1 s'));
    const rude = await serving((request) => request.socket.destroy());
    expect(await look(http(rude))).toEqual(failed('the connection was reset without an answer'));
    const other = await listening(createTcpServer((socket) => socket.end('220 hello\r\n')));
    expect(await look(http(other))).toMatchObject({
      type: 'failed',
      why: expect.stringMatching(/Parse|Expected/),
    });
    expect(await look(http(other, { path: '/a b' }))).toMatchObject({ why: expect.stringContaining('path') });
    expect(await look(http(70_000))).toMatchObject({ type: 'failed', why: expect.stringContaining('70000') });
  });
});

describe('TCP', () => {
  test('passes with a connection', async () => {
    const port = await listening(createTcpServer());
    expect(await look(tcp(port))).toEqual(PASSED);
    expect(await look(tcp(await closedPort()))).toEqual(failed('connection refused'));
  });

  test('requires an open connection for some time behind a proxy', async () => {
    const holding = await listening(createTcpServer());
    const closing = await listening(createTcpServer((socket) => socket.end()));
    const greeting = await listening(createTcpServer((socket) => socket.end('220 hello\r\n')));
    expect(await look(tcp(holding), { holdMs: 50 })).toEqual(PASSED);
    expect(await look(tcp(greeting), { holdMs: 5000 })).toEqual(PASSED);
    expect(await look(tcp(closing), { holdMs: 5000 })).toEqual(
      failed('the connection was closed immediately: nothing listens on the port in the container'),
    );
    expect(await look({ ...tcp(holding), timeout_seconds: 0.2 }, { holdMs: 5000 })).toEqual(PASSED);
  });
});

test('uses the given address unless it is a wildcard', async () => {
  const port = await listening(createTcpServer(), '127.0.0.2');
  expect(await look(tcp(port), { host: '127.0.0.2' })).toEqual(PASSED);
  for (const host of [undefined, '127.0.0.1', '0.0.0.0', '::']) {
    expect(await look(tcp(port), { host })).toEqual(failed('connection refused'));
  }
  const six = await listening(createTcpServer(), '::1');
  expect(await look({ type: 'TCP', tcp: { port: six, protocol: 'IPv6' } })).toEqual(PASSED);
  expect(await look(tcp(six), { host: '[::1]' })).toEqual(PASSED);
});

test('an aborted check throws', async () => {
  const port = await serving(() => {});
  const controller = new AbortController();
  const result = look(http(port), { signal: controller.signal });
  controller.abort(new Error('enough'));
  await expect(result).rejects.toThrow('enough');
});
