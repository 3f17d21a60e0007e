import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import type { LeafNames } from '../certificates.ts';
import { issueLeaves, makeAuthority } from './authority.ts';

const NOW = Date.now();
const wanted: LeafNames = {
  host: 'h1',
  service: 'master',
  names: ['10.0.0.1', '127.0.0.1', 'fd00::1', 'h1', 'localhost'],
};
const options = { passPhrase: 'open sesame', now: NOW, file: 'certificates.json' };
const authority = await makeAuthority('lab, O=x', 1, options.passPhrase, NOW);
const [leaf] = await issueLeaves(authority, [wanted], options);
if (leaf === undefined) throw new TypeError('nothing was issued');

test('a certificate is signed by its authority, and is for its names alone', () => {
  const ca = new X509Certificate(authority.certificate);
  const own = new X509Certificate(leaf.certificate);
  expect(ca.ca).toBe(true);
  expect(own.ca).toBe(false);
  expect(own.verify(ca.publicKey)).toBe(true);
  expect(own.checkIssued(ca)).toBe(true);
  expect(own.checkHost('h1')).toBe('h1');
  expect(own.checkHost('h2')).toBeUndefined();
  expect(own.checkIP('10.0.0.1')).toBe('10.0.0.1');
  expect(own.checkIP('fd00::1')).toBe('fd00::1');
  expect(own.checkIP('10.0.0.2')).toBeUndefined();
  expect(own.validToDate.getTime()).toBe(Math.floor(leaf.until / 1000) * 1000);
  expect(own.validFromDate.getTime()).toBeLessThan(NOW);
});

test('servers and clients authenticate each other with it', async () => {
  const both = { key: leaf.key, cert: leaf.certificate, ca: authority.certificate };
  const server = createServer({ ...both, requestCert: true, rejectUnauthorized: true }, (socket) =>
    socket.end(String(socket.getPeerCertificate().subject.CN)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket: TLSSocket = connect({ ...both, host: '127.0.0.1', port, servername: 'localhost' });
  const [text] = await once(socket, 'data');
  expect(String(text)).toBe('h1');
  const stranger = connect({ ca: authority.certificate, host: '127.0.0.1', port, servername: 'localhost' });
  const [refusal] = await once(stranger, 'error');
  expect(String(refusal)).toMatch(/certificate required/);
  server.close();
});

test('the key of the authority is encrypted', async () => {
  expect(Buffer.from(authority.key, 'base64').toString('latin1')).not.toContain('PRIVATE');
  await expect(issueLeaves(authority, [wanted], { ...options, passPhrase: 'other' })).rejects.toThrow(
    'the pass phrase of certificates.json is wrong',
  );
});
