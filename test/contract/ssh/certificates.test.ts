/** Hosts and users with certificates, which are connected with OpenSSH's own ssh. */

import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Hosts } from '../../../src/hosts/connect.ts';
import type { HostsOptions } from '../../../src/hosts/options.ts';
import type { Overrides } from '../../../src/hosts/ssh/route.ts';
import { Inbox } from '../../support/inbox.ts';
import { expectAbortable } from './abort.ts';
import { PASSWORD, type Sshd, SshLab, target } from './sshd.ts';

let lab: SshLab;
let sshd: Sshd;
let userCa: string;
let hostCa: string;
/** A key that is in no authorized_keys; each test creates its certificate. */
let key: string;
let known: string;
let configFile: string;

beforeAll(async () => {
  lab = await SshLab.make();
  [userCa, hostCa, key] = await Promise.all([
    lab.keygen('user-ca'),
    lab.keygen('host-ca'),
    lab.keygen('my key'),
  ]);
  known = path.join(lab.dir, 'known hosts');
  configFile = path.join(lab.dir, 'config');
  process.env.TMPDIR = lab.dir;
  sshd = await start('127.0.0.1');
});
beforeEach(async () => {
  lab.notices.length = 0;
  await sign(key, '-n', 'root,free,asks');
  await trust(`@cert-authority * ${await publicKey(hostCa)}`);
  await writeFile(configFile, `IdentityFile "${key}"\nIdentitiesOnly yes\n`);
});
const opened: Hosts[] = [];
afterEach(async () => {
  for (const hosts of opened.splice(0)) await hosts.close();
});
afterAll(async () => {
  delete process.env.TMPDIR;
  await lab.remove();
});

async function publicKey(file: string): Promise<string> {
  return (await readFile(`${file}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
}

async function trust(...lines: string[]): Promise<void> {
  await writeFile(known, lines.map((line) => `${line}\n`).join(''));
}

/** Creates a user certificate beside the key. */
async function sign(file: string, ...args: string[]): Promise<string> {
  await execa('ssh-keygen', ['-q', '-s', userCa, '-I', 'me', ...args, `${file}.pub`]);
  return `${file}-cert.pub`;
}

let hosts = 0;
/** A host with a certificate for the principal; it accepts users with a certificate of the user authority. */
async function start(principal: string, validity = '+1d', more: readonly string[] = []): Promise<Sshd> {
  const file = await lab.keygen(`host${++hosts}`);
  const args = ['-I', 'host', '-h', '-n', principal, '-V', validity, `${file}.pub`];
  await execa('ssh-keygen', ['-q', '-s', hostCa, ...args]);
  const config = [`HostKey ${file}`, `HostCertificate ${file}-cert.pub`, `TrustedUserCAKeys ${userCa}.pub`];
  return lab.start({ keys: [], config: [...config, ...more] });
}

function open(host: { readonly port: number }, overrides: Overrides = {}, options: HostsOptions = {}) {
  const all = lab.hosts({ configFile, knownHosts: known, ...options });
  opened.push(all);
  return { host: all.open(target(host, overrides)), close: () => all.close() };
}

/** Traces of connections: their directories, and processes with such a directory in their arguments. */
async function shared(): Promise<string[]> {
  const { stdout } = await execa('ps', ['-eo', 'args']);
  const directories = (await readdir(lab.dir)).map((name) => path.join(lab.dir, name));
  const own = path.join(lab.dir, 'mesosup-control-');
  return [...directories, ...stdout.split('\n')].filter((text) => text.includes(own));
}

test('authenticates host and user with certificates over one shared connection, and leaves no traces', async () => {
  const { host, close } = open(sshd, { user: 'asks' }, { ask: async () => PASSWORD });
  const script = 'id -u; wc -c; echo "to stderr" >&2; exit 5';
  const input = Buffer.alloc(5_000_000, 'x');
  const result = { stdout: '0\n5000000\n', stderr: 'to stderr\n', code: 5 };
  const results = await Promise.all(Array.from({ length: 8 }, () => host.run(script, { input })));
  for (const one of results) expect(one).toMatchObject(result);
  expect(sshd.count(/Accepted publickey for asks .* ID me/)).toBe(1);
  expect((await shared()).length).toBeGreaterThan(1);
  await close();
  await expect.poll(shared).toEqual([]);
});

test('uses a certificate from the configuration, and one from the agent', async () => {
  const other = await lab.keygen('other');
  const certificate = path.join(lab.dir, 'elsewhere-cert.pub');
  await cp(await sign(other, '-n', 'root'), certificate);
  await rm(`${other}-cert.pub`);
  await writeFile(configFile, `IdentityFile ${other}\nCertificateFile ${certificate}\nIdentitiesOnly yes\n`);
  expect(await open(sshd).host.run('true')).toMatchObject({ code: 0 });
  const socket = path.join(lab.dir, 'agent');
  const { stdout } = await execa('ssh-agent', ['-s', '-a', socket]);
  await cp(certificate, `${other}-cert.pub`);
  await execa('ssh-add', [other], { env: { SSH_AUTH_SOCK: socket } });
  await Promise.all([other, `${other}.pub`, `${other}-cert.pub`].map((file) => rm(file)));
  const loose = 'StrictHostKeyChecking no';
  await writeFile(configFile, `IdentityAgent ${socket}\nIdentityFile none\n${loose}\n`);
  expect(await open(sshd).host.run('true')).toMatchObject({ code: 0 });
  expect(lab.notices).toEqual([expect.stringContaining(`${loose} is treated as accept-new`)]);
  process.kill(Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]));
});

test.each([
  ['has expired', ['-n', 'root', '-V', '20200101:20200102']],
  ['is for another user', ['-n', 'somebody']],
])('names a user certificate that %s and that the host refuses', async (_what, args) => {
  await sign(key, ...args);
  await expect(open(sshd).host.run('true')).rejects.toMatchObject({
    name: 'HostError',
    host: 'box',
    failure: 'authentication',
    message: expect.stringContaining('Permission denied'),
    remedy: expect.stringContaining(`${key}-cert.pub`),
  });
});

test('is refused with a revoked key in spite of its certificate', async () => {
  const strict = await start('127.0.0.1', '+1d', [`RevokedKeys "${key}.pub"`]);
  await expect(open(strict).host.run('true')).rejects.toMatchObject({ failure: 'authentication' });
});

test.each([
  ['has expired', '127.0.0.1', '20200101:20200102', /expired/],
  ['is for another host', 'elsewhere', '+1d', /name is not a listed principal/],
])('refuses a host certificate that %s, with the reason', async (_what, principal, validity, reason) => {
  const bad = await start(principal, validity);
  const error = await open(bad)
    .host.run('true')
    .catch((e) => e);
  expect(error).toMatchObject({ host: 'box', failure: 'host-key' });
  expect(error.message).toMatch(/^box: ssh did not connect: /);
  expect(error.message).toMatch(reason);
});

test('refuses a host of a revoked authority, and a host without a certificate', async () => {
  await trust(`@cert-authority * ${await publicKey(hostCa)}`, `@revoked * ${await publicKey(hostCa)}`);
  await expect(open(sshd).host.run('true')).rejects.toMatchObject({ failure: 'host-key' });
  await trust(`@cert-authority * ${await publicKey(hostCa)}`);
  const plain = await lab.start({ config: [`TrustedUserCAKeys ${userCa}.pub`] });
  await expect(open(plain).host.run('true')).rejects.toMatchObject({
    failure: 'host-key',
    message: expect.stringContaining('No ED25519 host key is known for [127.0.0.1]'),
  });
  expect(await open(plain, {}, { acceptNew: true }).host.run('true')).toMatchObject({ code: 0 });
  expect(lab.notices).toEqual([expect.stringMatching(/^box: Warning: Permanently added/)]);
});

test('reaches a host behind a bastion, both with certificates', async () => {
  const bastion = await start('127.0.0.1');
  const accepted = sshd.count(/Accepted publickey for free/);
  const { host } = open(sshd, { user: 'free', bastion: `root@127.0.0.1:${bastion.port}` });
  expect((await host.run('echo "$HOME"')).stdout).toBe('/root\n');
  expect(sshd.count(/Accepted publickey for free/) - accepted).toBe(1);
  expect(bastion.count(/Accepted publickey for root .* ID me/)).toBe(1);
  const bad = await start('elsewhere');
  await expect(open(sshd, { bastion: `127.0.0.1:${bad.port}` }).host.run('true')).rejects.toMatchObject({
    host: 'box',
    failure: 'host-key',
  });
});

test('fails the runs of a lost connection as lost, and connects again for the next run', async () => {
  const { host } = open(sshd);
  const lines = new Inbox<string>();
  const run = host.run('echo $PPID; sleep 30', { onLine: lines.put });
  process.kill(Number(await lines.next())); // the sshd of this connection
  await expect(run).rejects.toMatchObject({ name: 'HostError', host: 'box', failure: 'lost' });
  expect((await host.run('echo again')).stdout).toBe('again\n');
});

test('reconnects after a connection ended between two runs', async () => {
  const { host, close } = open(sshd);
  expect((await host.run('echo $PPID')).code).toBe(0);
  process.kill(Number((await host.run('echo $PPID')).stdout));
  const again = async () => (await host.run('echo again').catch(() => null))?.stdout;
  await expect.poll(again, { timeout: 30_000 }).toBe('again\n');
  await close();
  await expect.poll(shared).toEqual([]);
});

test('uses a ProxyCommand, and quotes the output of one that fails', async () => {
  const config = await readFile(configFile, 'utf8');
  const relay = `bash -c 'exec 3<>"/dev/tcp/$0/$1"; cat <&3 & exec cat >&3' %h %p`;
  await writeFile(configFile, `${config}ProxyCommand ${relay}\n`);
  expect(await open(sshd).host.run('true')).toMatchObject({ code: 0 });
  await writeFile(configFile, `${config}ProxyCommand sh -c 'echo "100%% no way" >&2; exit 3'\n`);
  await expect(open(sshd).host.run('true')).rejects.toMatchObject({
    failure: 'unreachable',
    message: expect.stringContaining('100% no way'),
  });
});

test('does not mistake exit code 255 of a script for a lost connection', async () => {
  expect(await open(sshd).host.run('echo out; exit 255')).toMatchObject({ stdout: 'out\n', code: 255 });
});

test('ends an aborted run with its reason, and keeps the connection usable', async () => {
  await expectAbortable(open(sshd).host);
});

test('reports a refused connection, with a command that shows the cause', async () => {
  await expect(open({ port: 1 }).host.run('true')).rejects.toMatchObject({
    host: 'box',
    failure: 'unreachable',
    message: expect.stringContaining('Connection refused'),
    remedy: expect.stringContaining('ssh -v -p 1 root@127.0.0.1'),
  });
});

test('repeats dropped connections', async () => {
  const narrow = await start('127.0.0.1', '+1d', ['MaxStartups 1']);
  const users = ['root', 'free', 'asks'];
  const runs = users.map((user) => open(narrow, { user }, { ask: async () => PASSWORD }).host.run('id -u'));
  expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(['0\n', '0\n', '0\n']);
});

test('refuses a pinned host key together with a certificate, because ssh can’t check it', async () => {
  await expect(open(sshd, { hostKey: 'SHA256:x' }).host.run('true')).rejects.toMatchObject({
    failure: 'configuration',
    message: expect.stringContaining(`hostKey can't be combined with the certificate ${key}-cert.pub`),
  });
});

test('names the certificate and the missing package without OpenSSH on this machine', async () => {
  const { PATH } = process.env;
  process.env.PATH = '/nowhere';
  const error = await open(sshd)
    .host.run('true')
    .catch((e) => e);
  process.env.PATH = PATH;
  expect(error).toMatchObject({ host: 'box', failure: 'configuration' });
  expect(error.message).toContain(`box: the certificate ${key}-cert.pub needs OpenSSH's ssh`);
  expect(error.remedy).toContain('openssh-client');
});
