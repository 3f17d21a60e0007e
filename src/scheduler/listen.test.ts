import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Listening, listen } from './listen.ts';

const directory = mkdtempSync(join(tmpdir(), 'listen-'));
const certFile = join(directory, 'cert.pem');
const keyFile = join(directory, 'key.pem');
beforeAll(() => {
  const what = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost';
  const args = ['req', ...what.split(' '), '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile];
  execFileSync('openssl', [...args, '-out', certFile], { stdio: 'ignore' });
});
afterAll(() => rmSync(directory, { recursive: true }));

const open: Listening[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const hello: RequestListener = (_request, answer) => answer.end('hello');
const common = { httpAddress: '127.0.0.1', maxConnections: 100 };

const refuse = () => {
  throw new Error('no request asks for another protocol');
};

async function start(options: Parameters<typeof listen>[0], handler = hello): Promise<Listening> {
  const listening = await listen(options, handler, refuse);
  open.push(listening);
  return listening;
}

function tls(cert = readFileSync(certFile, 'utf8')) {
  return { port: 0, cert, key: readFileSync(keyFile, 'utf8') };
}

async function overTls(url: string): Promise<string> {
  const outgoing = request(url, { ca: readFileSync(certFile), servername: 'localhost', agent: false });
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

it('reports an invalid certificate and a port in use', async () => {
  await expect(listen({ ...common, tls: tls('nonsense') }, hello, refuse)).rejects.toThrow(
    /^--ssl_cert_file and --ssl_key_file are not a certificate and its key: /,
  );
  const { port } = await start({ ...common, httpPort: 0 });
  await expect(listen({ ...common, httpPort: port }, hello, refuse)).rejects.toThrow(/in use .* --http_port/);
  await expect(listen({ ...common, httpPort: 0, tls: { ...tls(), port } }, hello, refuse)).rejects.toThrow(
    /in use .* --https_port/,
  );
});

it('limits the number of connections', async () => {
  const { port } = await start({ ...common, maxConnections: 2, httpPort: 0 });
  const sockets = [1, 2, 3].map(() => connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.race(sockets.map((socket) => once(socket, 'close')));
  expect(sockets.filter((socket) => socket.closed)).toHaveLength(1);
  for (const socket of sockets) socket.destroy();
});

it('closes open connections when it closes', async () => {
  const silent = await listen({ ...common, httpPort: 0 }, () => {}, refuse);
  const pending = fetch(silent.urls[0] ?? '');
  await once(AbortSignal.timeout(50), 'abort');
  await silent.close();
  await expect(pending).rejects.toThrow();
});
