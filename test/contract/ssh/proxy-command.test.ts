/** Connections through a ProxyCommand. */

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Inbox } from '../../support/inbox.ts';
import { type Sshd, SshLab, target } from './sshd.ts';

let lab: SshLab;
let near: Sshd;
let inner: Sshd;

beforeAll(async () => {
  lab = await SshLab.make();
  [near, inner] = await Promise.all([lab.start(), lab.start()]);
  await lab.know(near);
  await lab.know(inner);
});
afterAll(() => lab.remove());

/** A configuration with a ProxyCommand that connects through `near` and writes its process id to a file. */
async function through(): Promise<{ configFile: string; pid: () => Promise<number> }> {
  const program = path.join(lab.dir, 'way');
  const known = path.join(lab.ssh, 'known_hosts');
  const options = `-F none -i ${lab.ssh}/id_ed25519 -o UserKnownHostsFile=${known}`;
  const ssh = `ssh ${options} -p ${near.port} -W "$1:$2" root@127.0.0.1`;
  await writeFile(program, `#!/bin/sh\necho $$ >${program}.pid\nexec ${ssh}\n`, { mode: 0o755 });
  const configFile = path.join(lab.dir, 'config');
  await writeFile(configFile, `ProxyCommand "${program}" %h %p 2>${program}.errors\n`);
  return { configFile, pid: async () => Number(await readFile(`${program}.pid`, 'utf8')) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('reaches a host through the program, which ends with the connection', async () => {
  const { configFile, pid } = await through();
  const accepted = near.count(/Accepted publickey/);
  const hosts = lab.hosts({ configFile });
  const host = hosts.open(target(inner, { user: 'free' }));
  expect(await host.run('cat', { input: Buffer.alloc(5_000_000, 'x') })).toMatchObject({ code: 0 });
  expect((await host.run('echo again')).stdout).toBe('again\n');
  expect(near.count(/Accepted publickey/) - accepted).toBe(1);
  const program = await pid();
  expect(isRunning(program)).toBe(true);
  await hosts.close();
  await expect.poll(() => isRunning(program)).toBe(false);
});

test('loses the run if the program ends, and starts it again for the next run', async () => {
  const { configFile, pid } = await through();
  const host = lab.hosts({ configFile }).open(target(inner));
  const lines = new Inbox<string>();
  const run = host.run('echo on; sleep 30', { onLine: lines.put });
  await lines.next();
  process.kill(await pid());
  await expect(run).rejects.toMatchObject({ failure: 'lost' });
  expect((await host.run('echo again')).stdout).toBe('again\n');
});

test.each([
  [`sh -c 'echo "No way to $0." >&2; exit 3' %n`, /ended with code 3; its output: No way to 127\.0\.0\.1\.$/],
  ['/no/such/program', /ended with code 127; its output: .*\/no\/such\/program.*not found/],
])('quotes a program that fails, with file and line: %s', async (command, message) => {
  const configFile = path.join(lab.dir, 'failing');
  await writeFile(configFile, `# first line\nProxyCommand ${command}\n`);
  const error = await lab
    .open(inner, {}, { configFile })
    .run('true')
    .catch((e) => e);
  expect(error).toMatchObject({ name: 'HostError', host: 'box', failure: 'unreachable' });
  expect(error.message).toContain(`box: ProxyCommand (${configFile}, line 2) `);
  expect(error.message).toMatch(message);
});

test('names a missing shell', async () => {
  const configFile = path.join(lab.dir, 'failing');
  await writeFile(configFile, 'ProxyCommand true\n');
  const person = { ...lab.person, env: { SHELL: '/no/such/shell' } };
  await expect(lab.open(inner, {}, { configFile, person }).run('true')).rejects.toMatchObject({
    failure: 'unreachable',
    message: expect.stringMatching(/could not be started: .*\/no\/such\/shell/),
  });
});

test('uses the bastion of the run instead of the program', async () => {
  const configFile = path.join(lab.dir, 'failing');
  await writeFile(configFile, 'Host 127.0.0.1\n ProxyCommand false\n');
  const bastion = `localhost:${near.port}`;
  await lab.know(near, `[localhost]:${near.port}`);
  expect(await lab.open(inner, { bastion }, { configFile }).run('true')).toMatchObject({ code: 0 });
});
