import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../../test/support/free-ports.ts';
import { createTestCa, type IssuedFiles, type TestCa } from '../../test/support/test-ca.ts';
import { EXECUTOR_PROTOCOL } from '../exec/control.ts';
import { type Listening, listen } from './listen.ts';

const directory = mkdtempSync(join(tmpdir(), 'listen-'));
let ca: TestCa;
let files: IssuedFiles;
beforeAll(() => {
  ca = createTestCa(directory);
  files = ca.issue('localhost');
});
afterAll(() => rmSync(directory, { recursive: true }));

const open: Listening[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const hello: RequestListener = (_request, answer) => answer.end('hello');
const common = { httpAddress: '127.0.0.1', maxConnections: 100 };

const warn = () => {};
const refuse = () => {
  throw new Error('no request asks for another protocol');
};

async function start(options: Parameters<typeof listen>[0], handler = hello): Promise<Listening> {
  const listening = await listen(options, handler, refuse, warn);
  open.push(listening);
  return listening;
}

function tls() {
  return { port: 0, ...files };
}

async function overTls(url: string, options: RequestOptions = {}): Promise<string> {
  const outgoing = request(url, {
    ca: readFileSync(ca.file),
    servername: 'localhost',
    agent: false,
    ...options,
  });
  outgoing.end();
  const [answer] = await once(outgoing, 'response');
  let body = '';
  for await (const chunk of answer) body += chunk;
  return body;
}

it('serves over HTTP and TLS, or over TLS alone', async () => {
  const both = await start({ ...common, httpPort: 0, tls: tls() });
  expect(both.urls).toEqual([
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^https:/),
  ]);
  expect(both.urls[0]).toContain(`:${both.port}`);
  expect(await (await fetch(both.urls[0] ?? '')).text()).toBe('hello');
  expect(await overTls(both.urls[1] ?? '')).toBe('hello');
  const alone = await start({ ...common, tls: tls() });
  expect(alone.urls).toEqual([`https://127.0.0.1:${alone.port}`]);
  expect(await overTls(alone.urls[0] ?? '')).toBe('hello');
});

it('takes HTTP and TLS on one port, or answers plain text with 400 if it takes only TLS', async () => {
  const [port = 0] = await freePorts(1);
  const both = await start({ ...common, httpPort: port, tls: { ...tls(), port } });
  expect([both.port, both.urls]).toEqual([port, [`http://127.0.0.1:${port}`, `https://127.0.0.1:${port}`]]);
  expect(await (await fetch(both.urls[0] ?? '')).text()).toBe('hello');
  expect(await overTls(both.urls[1] ?? '')).toBe('hello');
  const alone = await start({ ...common, tls: tls() });
  const refused = await fetch(`http://127.0.0.1:${alone.port}`);
  expect([refused.status, await refused.text()]).toEqual([
    400,
    expect.stringMatching(/^This port accepts only TLS/),
  ]);
});

it('shows a renewed certificate without a restart', async () => {
  const own = ca.issue('old');
  const { urls } = await start({ ...common, tls: { port: 0, ...own } });
  const subject = async () => {
    let name: string | undefined;
    const checkServerIdentity = (_host: string, { subject }: PeerCertificate) => {
      name = String(subject.CN);
      return undefined;
    };
    await overTls(urls[0] ?? '', { checkServerIdentity });
    return name;
  };
  expect(await subject()).toBe('old');
  const next = ca.issue('new');
  renameSync(next.key, own.key);
  renameSync(next.cert, own.cert);
  expect(await subject()).toBe('new');
});

it('refuses services without a certificate of the cluster if it demands one, but no people', async () => {
  const foreign = createTestCa(directory, 'foreign-ca').issue('stranger');
  const member = ca.issue('scheduler-2');
  const { urls } = await start({
    ...common,
    tls: { ...tls(), ca: ca.file },
    requiresServiceCertificate: true,
  });
  const ask = (client: IssuedFiles | undefined, headers = {}) =>
    overTls(urls[0] ?? '', {
      headers,
      ...(client && { cert: readFileSync(client.cert), key: readFileSync(client.key) }),
    });
  const forwarded = { 'X-Marathon-Via': 'other:1' };
  const executor = { Connection: 'Upgrade', Upgrade: EXECUTOR_PROTOCOL };
  expect(await ask(undefined)).toBe('hello');
  expect(await ask(member, forwarded)).toBe('hello');
  for (const headers of [forwarded, executor]) {
    expect(await ask(undefined, headers)).toMatch(/refuses this service: a client certificate .* sent none/);
    expect(await ask(foreign, headers)).toMatch(/CN=stranger, issued by CN=foreign-ca\) is not signed/);
  }
});

it('reports an invalid certificate and a port in use', async () => {
  const nonsense = join(directory, 'nonsense');
  writeFileSync(nonsense, 'nonsense');
  await expect(listen({ ...common, tls: { ...tls(), cert: nonsense } }, hello, refuse, warn)).rejects.toThrow(
    /^--ssl_cert_file and --ssl_key_file are not a certificate and its key: /,
  );
  const { port } = await start({ ...common, httpPort: 0 });
  await expect(listen({ ...common, httpPort: port }, hello, refuse, warn)).rejects.toThrow(
    /in use .* --http_port/,
  );
  await expect(
    listen({ ...common, httpPort: 0, tls: { ...tls(), port } }, hello, refuse, warn),
  ).rejects.toThrow(/in use .* --https_port/);
});

it('limits the number of connections', async () => {
  const { port } = await start({ ...common, maxConnections: 2, httpPort: 0 });
  const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(sockets.map((socket) => once(socket, 'close')));
  expect(sockets.filter((socket) => socket.closed)).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
});

it('closes open connections when it closes', async () => {
  const silent = await listen({ ...common, httpPort: 0 }, () => {}, refuse, warn);
  const pending = fetch(silent.urls[0] ?? '');
  await once(AbortSignal.timeout(50), 'abort');
  await silent.close();
  await expect(pending).rejects.toThrow();
});
