import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXPIRED_FINGERPRINT, EXPIRED_KEY } from '../../../test/support/expired-key.ts';
import type { Plan } from '../plan.ts';
import type { AptKeyResource } from '../resources/apt-key.ts';
import { fetchKeys } from './keys.ts';
import { readKeys } from './openpgp.ts';

const BEFORE = () => Date.parse('2020-01-15');
const AFTER = () => Date.parse('2020-02-15');

let directory: string;
let server: Server;
let requests = 0;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-keys-'));
  server = createServer((request, response) => {
    requests += 1;
    if (request.url !== '/key') response.statusCode = 404;
    response.end(EXPIRED_KEY);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

const url = (at: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${at}`;

function planOf(...keys: AptKeyResource[]): Plan {
  const items = keys.map((resource) => ({
    id: `apt-key:${resource.path}`,
    action: 'create' as const,
    title: '',
    diff: [],
    resource,
  }));
  const hosts = ['a', 'b'].map((host) => ({ host, items, basis: '' }));
  return { format: 1, command: 'install', cluster: 'c', version: '0', hosts };
}

function key(source: AptKeyResource['source'], more: Partial<AptKeyResource> = {}): AptKeyResource {
  return { kind: 'apt-key', path: '/etc/apt/keyrings/x.asc', source, ...more };
}

function contents(plan: Plan): Buffer[] {
  return plan.hosts.flatMap(({ items }) =>
    items.map(({ resource }) =>
      Buffer.from((resource?.kind === 'apt-key' && resource.content) || '', 'base64'),
    ),
  );
}

test('fetches a key once for all hosts, and stores it in the form that its path needs', async () => {
  const plan = planOf(
    key({ url: url('/key') }, { fingerprint: EXPIRED_FINGERPRINT }),
    key({ url: url('/key') }, { path: '/x.gpg' }),
  );
  const [asText, asBytes, ...others] = contents(await fetchKeys(plan, BEFORE));
  expect(requests).toBe(1);
  expect(asText?.toString()).toBe(EXPIRED_KEY);
  expect(asBytes?.[0]).toBe(0x98);
  expect(others).toEqual([asText, asBytes]);
});

test('sends only the pinned key of a file with several keys', async () => {
  const file = path.join(directory, 'two.asc');
  const other = Buffer.from(readKeys(Buffer.from(EXPIRED_KEY))[0]?.packets ?? []);
  // Another public key's bytes make another key.
  other[20] = (other[20] ?? 0) ^ 1;
  await writeFile(
    file,
    Buffer.concat([other, readKeys(Buffer.from(EXPIRED_KEY))[0]?.packets ?? Buffer.alloc(0)]),
  );
  const [content] = contents(
    await fetchKeys(planOf(key({ file }, { fingerprint: EXPIRED_FINGERPRINT })), BEFORE),
  );
  expect(content?.toString()).toBe(EXPIRED_KEY);
});

test.each([
  [
    'another fingerprint',
    '/key',
    { fingerprint: '0'.repeat(40) },
    BEFORE,
    `${EXPIRED_FINGERPRINT}, not 0000`,
  ],
  ['an expired key', '/key', {}, AFTER, 'expired on 2020-01-31'],
  ['an answer without one', '/none', {}, BEFORE, 'the server answered 404'],
])('%s is refused', async (_what, at, more, now, message) => {
  await expect(fetchKeys(planOf(key({ url: url(at) }, more)), now)).rejects.toThrow(message);
});

test('refuses a missing file, and a file that is not a key', async () => {
  const file = path.join(directory, 'away');
  await expect(fetchKeys(planOf(key({ file })), BEFORE)).rejects.toThrow(/away can't be read: ENOENT/);
  await writeFile(file, '<html>');
  await expect(fetchKeys(planOf(key({ file })), BEFORE)).rejects.toThrow(/is not the key of a repository/);
});
