import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import {
  type AddressInfo,
  connect as connectPlainly,
  createServer as createTcpServer,
  type Server,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createPureTlsServer, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createTestCa, type TestCa } from '../../test/support/test-ca.ts';
import { createPool } from '../mesos/http.ts';
import { createTransport, TlsError } from './connect.ts';
import { clientProblem, createTlsServer, type TlsServerOptions } from './listen.ts';
import { TlsMaterial } from './material.ts';
import type { ClientTls, TlsFiles } from './settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'tls-'));
let ca: TestCa;
let foreign: TestCa;
let server: TlsFiles;
let client: TlsFiles;
beforeAll(() => {
  ca = createTestCa(directory);
  foreign = createTestCa(directory, 'foreign-ca');
  server = { ca: ca.file, ...ca.issue('server') };
  client = { ca: ca.file, ...ca.issue('client') };
});
afterAll(() => rmSync(directory, { recursive: true }));

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(one: Server, end: () => void = () => {}): Promise<number> {
  one.listen(0, '127.0.0.1');
  closing.push(() => {
    one.close();
    end();
  });
  await once(one, 'listening');
  return (one.address() as AddressInfo).port;
}

/** Answers `tls` or `plain`, and the problem with the client. */
async function serve(options: Partial<TlsServerOptions> = {}, files = server): Promise<number> {
  const { server: one, destroyConnections } = createTlsServer({
    material: new TlsMaterial(files),
    plainToo: false,
    asksClients: true,
    ...options,
  });
  one.on('request', (incoming, answer) => {
    const how = 'encrypted' in incoming.socket ? 'tls' : 'plain';
    answer.end(`${how} ${clientProblem(incoming) ?? 'good'}`);
  });
  return listen(one, destroyConnections);
}

async function ask(
  port: number,
  tls: ClientTls,
  host = '127.0.0.1',
  problems: string[] = [],
): Promise<string> {
  const transport = createTransport(tls, { onProblem: (message) => problems.push(message) });
  const outgoing = request({ host, port, createConnection: transport.createConnection });
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of answer) body += chunk;
  return body;
}

async function failure(asking: Promise<unknown>): Promise<TlsError> {
  const error = await asking.then(
    () => new Error('it worked'),
    (reason: Error) => reason,
  );
  expect(error).toBeInstanceOf(TlsError);
  return error as TlsError;
}

it('speaks TLS with a certificate at both ends, and plain text only where the server takes it', async () => {
  const strict = await serve();
  const open = await serve({ plainToo: true });
  expect(await ask(strict, { mode: 'required', ...client })).toBe('tls good');
  expect(await ask(open, { mode: 'required', ...client })).toBe('tls good');
  expect(await ask(open, { mode: 'preferred', ...client })).toBe('tls good');
  expect(await ask(open, { mode: 'off' })).toMatch(/^plain a client certificate .* is required/);
  expect(await ask(strict, { mode: 'off' })).toMatch(/^This port accepts only TLS\. Use https:/);
});

it('falls back to plain text if it prefers TLS, and says why', async () => {
  const plain = await listen(createServer((_incoming, answer) => answer.end('plain')));
  const problems: string[] = [];
  expect(await ask(plain, { mode: 'preferred', ...client }, '127.0.0.1', problems)).toBe('plain');
  expect(problems).toEqual([
    expect.stringMatching(/^plain text is used: .* does not answer with TLS.*\(wrong version number\)/),
  ]);
  const ends = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
  const { message } = await failure(ask(ends, { mode: 'required', ...client }));
  expect(message).toContain(`127.0.0.1:${ends} does not answer with TLS: it takes plain text only`);
  expect(message).toContain('mesosup certs enable');
  await expect(ask(1, { mode: 'preferred', ...client })).rejects.toThrow(/ECONNREFUSED/);
});

it.each([
  [
    'has expired',
    { fromDays: -9, untilDays: -2 },
    /CN=late, issued by CN=test-ca\) expired on 20\d\d-\d\d-\d\d/,
    /certs renew/,
  ],
  ['is not valid yet', { fromDays: 2, untilDays: 9 }, /CN=late.*not valid yet until 20\d\d-/, /timedatectl/],
  [
    'is for another host',
    { names: ['DNS:other.example'] },
    /is for other\.example, not for 127\.0\.0\.1/,
    /names/,
  ],
])('names the certificate of a server that %s, and what to do', async (_what, issuing, message, remedy) => {
  const port = await serve({}, { ca: ca.file, ...ca.issue('late', issuing) });
  const error = await failure(ask(port, { mode: 'required', ...client }));
  expect(error.message).toMatch(message);
  expect(error.message).toContain(`127.0.0.1:${port}`);
  expect(error.message).toMatch(remedy);
});

it('names a foreign CA, and the file that was to verify it', async () => {
  const port = await serve({}, { ca: ca.file, ...foreign.issue('stranger') });
  const { message } = await failure(ask(port, { mode: 'required', ...client }));
  expect(message).toMatch(/CN=stranger, issued by CN=foreign-ca\) is not signed by a CA in .*ca\.pem/);
  expect(message).toContain('mesosup certs trust');
  expect(await ask(port, { mode: 'required', ...client, verifies: false })).toMatch(/^tls/);
});

it('tells a client what is wrong with its certificate', async () => {
  const port = await serve();
  const asked = (files: TlsFiles) => ask(port, { mode: 'required', ca: ca.file, ...files });
  expect(await asked({})).toMatch(/^tls a client certificate of the cluster's CA is required, and .* none/);
  expect(await asked(foreign.issue('stranger'))).toMatch(
    /CN=stranger, issued by CN=foreign-ca\) is not signed/,
  );
  const old = ca.issue('old', { fromDays: -9, untilDays: -2 });
  expect(await asked(old)).toMatch(/CN=old.* expired on 20\d\d-.*certs renew/);
  const young = ca.issue('young', { fromDays: 2, untilDays: 9 });
  expect(await asked(young)).toMatch(/CN=young.* is valid only from 20\d\d-.*timedatectl/);
});

it('explains the alerts of a server that refuses clients during the handshake, as Mesos does', async () => {
  const files = server as Required<TlsFiles>;
  const pure = createPureTlsServer(
    {
      cert: readFileSync(files.cert),
      key: readFileSync(files.key),
      ca: readFileSync(files.ca),
      requestCert: true,
    },
    (socket: TLSSocket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'),
  );
  pure.on('tlsClientError', () => {});
  const port = await listen(pure);
  await expect(ask(port, { mode: 'required', ca: ca.file })).rejects.toThrow(
    new RegExp(
      `127\\.0\\.0\\.1:${port} requires a client certificate, and none was sent\\. Set a certificate`,
    ),
  );
  expect(await ask(port, { mode: 'required', ...client })).toBe('');
});

it('reads certificates again when their files change, and waits for the second file of a pair', async () => {
  const files = { ca: ca.file, ...ca.issue('renewed') };
  const problems: string[] = [];
  const port = await serve({ material: new TlsMaterial(files, (message) => problems.push(message)) });
  const subject = async () => {
    const transport = createTransport({ mode: 'required', ca: ca.file });
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      transport.createConnection({ host: '127.0.0.1', port }, (error, made) =>
        error ? reject(error) : resolve(made as TLSSocket),
      );
    });
    const name = socket.getPeerX509Certificate()?.subject;
    socket.destroy();
    return name;
  };
  expect(await subject()).toBe('CN=renewed');
  const next = ca.issue('next');
  renameSync(next.cert, files.cert);
  expect(await subject()).toBe('CN=renewed');
  expect(problems).toEqual([expect.stringMatching(/are not a certificate and its key.*stays in use/)]);
  renameSync(next.key, files.key);
  expect(await subject()).toBe('CN=next');
});

it('says which file is wrong', () => {
  const nonsense = join(directory, 'nonsense.pem');
  writeFileSync(nonsense, 'nonsense');
  expect(() => new TlsMaterial({ ca: join(directory, 'none.pem') }).current()).toThrow(/ENOENT.*none\.pem/);
  expect(() => new TlsMaterial({ ...client, cert: nonsense }).current()).toThrow(
    /nonsense\.pem and .* are not a certificate and its key/,
  );
});

it('keeps the connections of a pool', async () => {
  const port = await serve();
  const { createConnection, scheme } = createTransport({ mode: 'required', ...client });
  expect(scheme).toBe('https');
  const agent = createPool(1, { createConnection, scheme });
  closing.push(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (let n = 0; n < 3; n += 1) {
    const outgoing = request({ host: '127.0.0.1', port, agent });
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    ports.add(answer.socket.localPort);
    answer.resume();
    await once(answer, 'end');
  }
  expect(ports.size).toBe(1);
});

it('ends connections that never begin, when it ends all', async () => {
  const { server: one, destroyConnections } = createTlsServer({
    material: new TlsMaterial(server),
    plainToo: true,
    asksClients: false,
  });
  const port = await listen(one);
  const silent = connectPlainly(port, '127.0.0.1');
  await Promise.all([once(silent, 'connect'), once(one, 'connection')]);
  one.close();
  destroyConnections();
  await Promise.all([once(silent, 'close'), once(one, 'close')]);
});
