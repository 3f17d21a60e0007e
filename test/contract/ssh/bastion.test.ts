/** Connections through jump hosts, and many connections at the same time. */

import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Sshd, SshLab, target } from './sshd.ts';

let lab: SshLab;
let bastion: Sshd;
let inner: Sshd;

beforeAll(async () => {
  lab = await SshLab.make();
  // sshd listens at no more than 16 addresses.
  const more = Array.from({ length: 14 }, (_, i) => `ListenAddress 127.0.0.${i + 2}`);
  [bastion, inner] = await Promise.all([
    lab.start({ config: ['MaxStartups 10:30:100'] }),
    lab.start({ config: [...more, 'MaxStartups 10:30:100'] }),
  ]);
  await lab.know(bastion);
  await lab.know(inner, `[127.0.0.*]:${inner.port}`);
});
afterAll(() => lab.remove());

/** 30 connections: 15 addresses with two users each. */
function crowd() {
  return ['root', 'free'].flatMap((user) =>
    Array.from({ length: 15 }, (_, i) => ({ ...target(inner, { user }), address: `127.0.0.${i + 1}` })),
  );
}

test('reaches 30 hosts through one connection to their bastion', async () => {
  const hosts = lab.hosts();
  const accepted = bastion.count(/Accepted publickey/);
  const through = { bastion: `127.0.0.1:${bastion.port}` };
  const results = await Promise.all(
    crowd().map((one) => hosts.open({ ...one, connection: { ...one.connection, ...through } }).run('true')),
  );
  expect(results.map(({ code }) => code)).toEqual(crowd().map(() => 0));
  expect(inner.count(/Accepted publickey/)).toBe(30);
  expect(bastion.count(/Accepted publickey/) - accepted).toBe(1);
  await hosts.close();
});

test('repeats dropped connections until all are open', async () => {
  const narrow = await lab.start({ config: ['MaxStartups 1'] });
  await lab.know(narrow);
  const all = lab.hosts();
  // Different names, so that each host has its own connection.
  const users = ['root', 'free', 'asks', 'refused'];
  const logins = users.map((user) =>
    all
      .open(target(narrow, { user }))
      .run('true')
      .catch((error) => error),
  );
  const [root, free, ...others] = await Promise.all(logins);
  expect([root, free]).toMatchObject([{ code: 0 }, { code: 0 }]);
  expect(others).toMatchObject([{ failure: 'root' }, { failure: 'root' }]);
  expect(narrow.count(/drop connection/)).toBeGreaterThan(0);
});

test('gives up with a reason if all connections are closed at once', async () => {
  const { createServer } = await import('node:net');
  const { once } = await import('node:events');
  let tries = 0;
  const server = createServer((socket) => {
    tries++;
    socket.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await expect(lab.open({ port }).run('true')).rejects.toMatchObject({
    failure: 'unreachable',
    remedy: expect.stringContaining('MaxStartups'),
  });
  expect(tries).toBeGreaterThan(3);
  server.close();
});

test('follows ProxyJump over two hosts with different users and names', async () => {
  const second = await lab.start();
  await lab.know(second);
  const config = [
    `Host near\nHostName 127.0.0.1\nPort ${bastion.port}`,
    `Host far\nHostName 127.0.0.1\nPort ${second.port}\nUser free\nProxyJump near`,
    `Host goal\nHostName 127.0.0.1\nPort ${inner.port}\nUser asks\nProxyJump far`,
  ];
  await writeFile(path.join(lab.ssh, 'config'), config.join('\n'));
  const host = lab.hosts().open({ name: 'goal', address: 'goal', connection: { kind: 'ssh' } });
  await expect(host.run('true')).rejects.toMatchObject({ host: 'goal', failure: 'root' });
  expect(second.count(/Accepted publickey for free/)).toBe(1);
  await writeFile(path.join(lab.ssh, 'config'), '');
});

test('checks the bastion’s key, and names a bastion that refuses to forward', async () => {
  const unknown = await lab.start();
  const shut = await lab.start({ config: ['AllowTcpForwarding no'] });
  await lab.know(shut);
  const by = (sshd: Sshd, port = inner.port) =>
    lab.open({ port }, { bastion: `127.0.0.1:${sshd.port}` }).run('true');
  await expect(by(unknown)).rejects.toMatchObject({
    host: 'box',
    failure: 'host-key',
    message: expect.stringMatching(/^box: through its bastion: 127\.0\.0\.1: its host key is unknown/),
  });
  await expect(by(shut)).rejects.toMatchObject({
    host: 'box',
    failure: 'unreachable',
    remedy: expect.stringContaining('AllowTcpForwarding'),
  });
  await expect(by(bastion, 1)).rejects.toMatchObject({
    host: 'box',
    failure: 'unreachable',
    message: expect.stringContaining("can't reach 127.0.0.1:1"),
  });
});

test.each([
  ['127.0.0.1', 1, 'no SSH server is listening'],
  ['no-such-host.invalid', 22, 'DNS does not know the name'],
])('%s, port %i: %s', async (address, port, what) => {
  const host = lab.hosts().open({ name: 'box', address, connection: { kind: 'ssh', port } });
  await expect(host.run('true')).rejects.toMatchObject({
    host: 'box',
    failure: 'unreachable',
    message: expect.stringContaining(what),
  });
});

test('reports errors under the name of the host, also for two names of one address', async () => {
  const hosts = lab.hosts();
  const named = ['box', 'alias'].map((name) =>
    hosts.open({ name, address: '127.0.0.1', connection: { kind: 'ssh', port: 1 } }),
  );
  const results = await Promise.allSettled(named.map((host) => host.run('true')));
  expect(results).toMatchObject([
    { reason: { host: 'box', message: 'box: no SSH server is listening at 127.0.0.1:1' } },
    { reason: { host: 'alias', message: 'alias: no SSH server is listening at 127.0.0.1:1' } },
  ]);
});

test('gives up a silent server after ConnectTimeout', async () => {
  const { createServer } = await import('node:net');
  const { once } = await import('node:events');
  const server = createServer(() => {}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const configFile = path.join(lab.dir, 'hasty');
  await writeFile(configFile, 'ConnectTimeout 1');
  await expect(lab.open({ port }, {}, { configFile }).run('true')).rejects.toMatchObject({
    failure: 'unreachable',
    message: expect.stringContaining('within 1 s'),
  });
  server.close();
});

const hasIpv6 = networkInterfaces().lo?.some(({ family }) => family === 'IPv6');

test.skipIf(!hasIpv6)(
  'reaches a host at an IPv6 address, also through a bastion at an IPv6 address',
  async () => {
    const [six, stranger] = await Promise.all([
      lab.start({ config: ['ListenAddress ::1'] }),
      lab.start({ config: ['ListenAddress ::1'] }),
    ]);
    await lab.know(six, `[::1]:${six.port}`);
    const at = (sshd: Sshd, more = {}) =>
      lab
        .hosts()
        .open({ ...target(sshd, more), address: '::1' })
        .run('true');
    const bastionAt = { bastion: `root@[::1]:${six.port}` };
    expect(await at(six)).toMatchObject({ code: 0 });
    expect(await lab.open(inner, bastionAt).run('true')).toMatchObject({ code: 0 });
    await expect(at(stranger, bastionAt)).rejects.toMatchObject({
      failure: 'host-key',
      remedy: expect.stringContaining(`-J 'root@[::1]:${six.port}' -p ${stranger.port} root@::1 true`),
    });
    await expect(at({ ...six, port: 1 } as Sshd)).rejects.toMatchObject({
      message: 'box: no SSH server is listening at [::1]:1',
    });
  },
);
