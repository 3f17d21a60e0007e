/** Checks of host keys against the files that OpenSSH uses. */

import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Sshd, SshLab } from './sshd.ts';

let lab: SshLab;
/** Has an RSA and an Ed25519 key. */
let sshd: Sshd;
let known: string;
let name: string;

beforeAll(async () => {
  lab = await SshLab.make();
  sshd = await lab.start({ keys: ['ed25519', 'rsa'] });
  known = path.join(lab.ssh, 'known_hosts');
  name = `[127.0.0.1]:${sshd.port}`;
});
beforeEach(async () => {
  await writeFile(known, '');
  await writeFile(path.join(lab.ssh, 'config'), '');
  lab.notices.length = 0;
});
afterAll(() => lab.remove());

async function publicKey(index: number): Promise<string> {
  return (await readFile(`${sshd.keys[index]}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
}

async function shownFingerprint(index: number): Promise<string> {
  const { stdout } = await execa('ssh-keygen', ['-lf', `${sshd.keys[index]}.pub`]);
  return stdout.split(' ')[1] ?? '';
}

const connect = (...args: Parameters<SshLab['open']> extends [unknown, ...infer Rest] ? Rest : never) =>
  lab.open(sshd, ...args).run('true');

test('refuses an unknown key, with its fingerprint and a command that saves it', async () => {
  const error = await connect().catch((e) => e);
  expect(error).toMatchObject({ name: 'HostError', host: 'box', failure: 'host-key' });
  expect(error.message).toContain(await shownFingerprint(0));
  expect(error.remedy).toContain('--accept-new-host-keys');
  expect(await readFile(known, 'utf8')).toBe('');
  const command = /then run: (.*) ;/.exec(error.remedy)?.[1] ?? '';
  await execa('sh', ['-c', command]);
  expect(await connect()).toMatchObject({ code: 0 });
});

test('saves a key with accept-new in a file with mode 0600, and knows the key afterwards', async () => {
  const file = path.join(lab.dir, 'new/known');
  await writeFile(path.join(lab.ssh, 'config'), 'HashKnownHosts no');
  expect(await connect({}, { acceptNew: true, knownHosts: file })).toMatchObject({ code: 0 });
  expect(await readFile(file, 'utf8')).toBe(`${name} ${await publicKey(0)}\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(lab.notices).toEqual([expect.stringContaining(await shownFingerprint(0))]);
  expect(await connect({}, { knownHosts: file })).toMatchObject({ code: 0 });
});

test('hashes the name with HashKnownHosts so that OpenSSH finds it', async () => {
  await writeFile(known, '# no end of line');
  await writeFile(path.join(lab.ssh, 'config'), 'HashKnownHosts yes\nStrictHostKeyChecking no');
  await connect();
  expect(lab.notices[0]).toContain('StrictHostKeyChecking no is treated as accept-new');
  const text = await readFile(known, 'utf8');
  expect(text).toMatch(/^# no end of line\n\|1\|/);
  expect(text).not.toContain('127.0.0.1');
  const { stdout } = await execa('ssh-keygen', ['-F', name, '-f', known]);
  expect(stdout).toContain(await publicKey(0));
  expect(await connect({}, { acceptNew: false })).toMatchObject({ code: 0 });
});

test('refuses a changed key, even with accept-new, and names the entry', async () => {
  const other = await lab.keygen('other');
  const [type, key] = (await readFile(`${other}.pub`, 'utf8')).split(' ');
  const text = `\n${name} ${type} ${key}\n`;
  await writeFile(known, text);
  for (const acceptNew of [true, false]) {
    const error = await connect({}, { acceptNew }).catch((e) => e);
    expect(error).toMatchObject({
      failure: 'host-key',
      message: expect.stringContaining(`${known}, line 2`),
    });
    expect(error.remedy).toContain(`ssh-keygen -R '${name}'`);
  }
  expect(await readFile(known, 'utf8')).toBe(text);
});

test('asks for the known key of a host with several keys', async () => {
  await writeFile(known, `${name} ${await publicKey(1)}\n`);
  expect(await connect()).toMatchObject({ code: 0 });
});

test('refuses a key of another type if a key of the host is known', async () => {
  const rsaOnly = await lab.start({ keys: ['rsa'] });
  await writeFile(known, `[127.0.0.1]:${rsaOnly.port} ${await publicKey(0)}\n`);
  await expect(lab.open(rsaOnly, {}, { acceptNew: true }).run('true')).rejects.toMatchObject({
    failure: 'host-key',
  });
});

test('refuses a revoked key although it is known', async () => {
  await writeFile(known, `${name} ${await publicKey(0)}\n@revoked * ${await publicKey(0)}\n`);
  await expect(connect({}, { acceptNew: true })).rejects.toMatchObject({
    failure: 'host-key',
    message: expect.stringContaining('revoked'),
  });
});

test('accepts a pinned key without a file, and no other key', async () => {
  expect(await connect({ hostKey: await shownFingerprint(0) })).toMatchObject({ code: 0 });
  await lab.know(sshd);
  await expect(connect({ hostKey: await shownFingerprint(1) })).rejects.toMatchObject({
    failure: 'host-key',
  });
});

test('finds the same entries in a file of known hosts as ssh-keygen', async () => {
  const { parseKnownHosts, namesHost } = await import('../../../src/hosts/ssh/known-hosts.ts');
  const key = await publicKey(0);
  const file = path.join(lab.dir, 'many');
  const names = [
    'a.example.org',
    '*.example.org,!b.example.org',
    '[a.example.org]:2222',
    'x?',
    '192.0.2.*',
    'UPPER',
    '[::1]:22',
  ];
  await writeFile(file, names.map((n) => `${n} ${key}\n`).join(''));
  // Hashes the names that can be hashed, in another file.
  const hashed = path.join(lab.dir, 'hashed');
  await writeFile(hashed, names.map((n) => `${n} ${key}\n`).join(''));
  await execa('ssh-keygen', ['-H', '-f', hashed], { reject: false });
  const asked = [
    'a.example.org',
    'b.example.org',
    'c.example.org',
    '[a.example.org]:2222',
    '[c.example.org]:2222',
    'x',
    'xy',
    '192.0.2.77',
    'upper',
    '[::1]:22',
    'nowhere',
  ];
  for (const from of [file, hashed]) {
    const entries = parseKnownHosts(from, await readFile(from, 'utf8'));
    for (const host of asked) {
      const { stdout } = await execa('ssh-keygen', ['-F', host, '-f', from], { reject: false });
      const theirs = [...stdout.matchAll(/found: line (\d+)/g)].map(([, line]) => Number(line));
      expect(
        entries.filter((entry) => namesHost(entry, host)).map(({ line }) => line),
        `${host} in ${from}`,
      ).toEqual(theirs);
    }
  }
});
