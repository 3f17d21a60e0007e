import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestCa, type TestCa } from '../../test/support/test-ca.ts';
import { clientProblem, createTlsServer } from '../tls/listen.ts';
import { TlsMaterial } from '../tls/material.ts';
import type { Log } from './log.ts';
import { parseServiceTls, readServiceTls, serviceTransport } from './service-tls.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'service-tls-'));
const file = path.join(directory, 'tls.json');
let ca: TestCa;
beforeAll(() => {
  ca = createTestCa(directory);
});
afterAll(() => rmSync(directory, { recursive: true }));

it('reads the settings, or those of Mesos for its own executors if there is no file', () => {
  const paths = { ca: '/ca', cert: '/c', key: '/k' };
  const mesos = {
    LIBPROCESS_SSL_ENABLED: '1',
    LIBPROCESS_SSL_CERT_FILE: '/cm',
    LIBPROCESS_SSL_KEY_FILE: '/km',
  };
  const missing = path.join(directory, 'missing');
  expect(readServiceTls(missing, {})).toEqual({ mode: 'off' });
  expect(readServiceTls(missing, mesos)).toMatchObject({ mode: 'required', cert: '/cm', verifies: false });
  writeFileSync(file, JSON.stringify({ mode: 'preferred', ...paths }));
  expect(readServiceTls(file, mesos)).toEqual({ mode: 'preferred', ...paths });
  expect(() => readServiceTls(directory, {})).toThrow(/EISDIR/);
});

it.each([
  ['{', ' must be a JSON object'],
  ['{}', ': mode must be one of off, preferred, required'],
  ['{"mode": "on"}', ': mode must be one of'],
  ['{"mode": "off", "CA": "/x"}', ': the field CA is unknown'],
  ['{"mode": "off", "ca": 1}', ': ca must be the path'],
  ['{"mode": "off", "cert": "/c"}', ': a certificate needs its key'],
])('refuses %s with the file and the field', (text, problem) => {
  expect(() => parseServiceTls('/etc/x.json', text)).toThrow(`/etc/x.json${problem}`);
});

it('reads the file again for each connection', async () => {
  const lines: Parameters<Log>[0][] = [];
  const transport = serviceTransport(
    () => readServiceTls(file, {}),
    (line) => lines.push(line),
  );
  const write = (settings: object) => writeFileSync(file, JSON.stringify(settings));
  const ask = async (server: Server): Promise<string> => {
    const { port } = server.address() as AddressInfo;
    const outgoing = request({ host: '127.0.0.1', port, createConnection: transport.createConnection }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    let body = '';
    for await (const chunk of answer) body += chunk;
    return body;
  };
  const files = { ca: ca.file, ...ca.issue('executor') };
  const plain = createServer((_incoming, answer) => answer.end('plain')).listen(0, '127.0.0.1');
  const material = new TlsMaterial({ ca: ca.file, ...ca.issue('agent') });
  const { server: secure } = createTlsServer({ material, plainToo: false, asksClients: true });
  secure.on('request', (incoming, answer) => answer.end(`TLS ${clientProblem(incoming)}`));
  secure.listen(0, '127.0.0.1');
  await Promise.all([once(plain, 'listening'), once(secure, 'listening')]);
  write({ mode: 'off' });
  expect(await ask(plain)).toBe('plain');
  write({ mode: 'preferred', ...files });
  expect(await ask(plain)).toBe('plain');
  expect(lines).toEqual([
    { level: 'warning', msg: 'TLS', reason: expect.stringMatching(/^plain text is used/) },
  ]);
  expect(await ask(secure)).toBe('TLS undefined');
  write({ mode: 'required', ...files });
  await expect(ask(plain)).rejects.toThrow(/does not answer with TLS/);
  writeFileSync(file, 'nonsense');
  await expect(ask(secure)).rejects.toThrow(/must be a JSON object/);
  plain.close();
  secure.close();
});
