import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Authority, LeafNames } from '../../cluster/certificates.ts';
import { issueLeaves, makeAuthority } from '../../cluster/edge/authority.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-ask-'));
const files = path.join(directory, 'tls');
const script = path.resolve('templates/host/ask.sh');
const options = { passPhrase: 'x', now: Date.now(), file: 'x' };
const own: LeafNames = { host: 'h1', service: 'master', names: ['127.0.0.1', 'localhost'] };
let port = 0;
let plainPort = 0;
const servers: { close(): void }[] = [];

async function listening(server: Server | ReturnType<typeof createPlainServer>): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function putFiles(authority: Authority): Promise<void> {
  const [leaf] = await issueLeaves(authority, [own], options);
  rmSync(files, { recursive: true, force: true });
  mkdirSync(files);
  writeFileSync(path.join(files, 'ca.pem'), authority.certificate);
  writeFileSync(path.join(files, 'master.pem'), leaf?.certificate ?? '');
  writeFileSync(path.join(files, 'master-key.pem'), leaf?.key ?? '', { mode: 0o600 });
  writeFileSync(path.join(files, 'in-use'), '');
}

beforeAll(async () => {
  const authority = await makeAuthority('lab', 1, options.passPhrase, options.now);
  await putFiles(authority);
  const read = (name: string) => readFileSync(path.join(files, name), 'utf8');
  const tls = { ca: read('ca.pem'), cert: read('master.pem'), key: read('master-key.pem') };
  port = await listening(
    createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, answer) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
        answer.end(`${request.method} ${Buffer.concat(chunks)} by ${CN}`);
      });
    }),
  );
  plainPort = await listening(createPlainServer((_request, answer) => answer.end('plain')));
}, 60_000);
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true });
});

function ask(call: string, request: string): Promise<string> {
  const text = `. '${script}'; tls_files='${files}'; ask_seconds=5; ${call}`;
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', text], (_error, stdout) => resolve(stdout));
    child.stdin?.end(request);
  });
}

/** Two of its lines begin with letters that mean commands to openssl on a terminal. */
const REQUEST = 'POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\nQ\nR\nk\n';

test('a service is asked with TLS and with a certificate of the host', async () => {
  expect(await ask(`ask_service 127.0.0.1 ${port}`, REQUEST)).toMatch(
    /^HTTP\/1.1 200 [\s\S]*POST Q\nR\nk\n by h1$/,
  );
  expect(await ask(`ask_service localhost ${port}`, REQUEST)).toContain(' by h1');
});

test('nothing is sent to a server with a certificate for another name, or in plain text', async () => {
  expect(await ask(`ask_service 127.0.0.2 ${port}`, REQUEST)).toBe('');
  expect(await ask(`ask_service 127.0.0.1 ${plainPort}`, REQUEST)).toBe('');
});

test('nothing is sent to a server with a certificate of another authority', async () => {
  await putFiles(await makeAuthority('lab', 2, options.passPhrase, options.now));
  expect(await ask(`ask_service 127.0.0.1 ${port}`, REQUEST)).toBe('');
});

test('a service is asked in plain text as long as clients do not use TLS; other servers always are', async () => {
  rmSync(path.join(files, 'in-use'));
  expect(await ask(`ask_service 127.0.0.1 ${plainPort}`, REQUEST)).toContain('plain');
  writeFileSync(path.join(files, 'in-use'), '');
  expect(await ask(`ask 127.0.0.1 ${plainPort}`, REQUEST)).toContain('plain');
});
