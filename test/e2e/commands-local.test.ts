/** A cluster of one machine, made by a program that was unpacked there: no SSH is near it. */

import { createReadStream } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { payload } from '../../src/install/edge/payload.ts';
import type { ChangeReport } from '../../src/install/edge/run/command-support.ts';
import type { ClusterStatus } from '../../src/install/status.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { root } from './demo-cluster.ts';

let lab: Lab;
let host: LabHost;

beforeAll(async () => {
  // The runtime needs the library before there is anything of ours.
  lab = await startLab({ hosts: [{ packages: ['libatomic1'] }] });
  host = lab.host('h1');
  await host.run('systemctl disable --now ssh.service ssh.socket 2>/dev/null; mkdir /root/mesosup');
  const { file } = await payload(path.join(root, 'dist'));
  await host.run('tar -xz -C /root/mesosup', { input: createReadStream(file) });
  const { debian, ubuntu, key, fingerprint } = lab.mesos().good;
  const mesos = { source: 'clusterd', repository: { debian, ubuntu, key, fingerprint } };
  // What the machine's own engine gives the containers that stand for hosts.
  const agentFlags = { launcher: 'posix', isolation: 'posix/cpu,posix/mem' };
  const spec = stringify({ name: 'alone', mesos, agentFlags });
  await host.run('cat >/root/cluster.yaml', { input: spec });
}, 300_000);
afterAll(() => lab?.stop());

const mesosup = (args: string) =>
  host.exec(`cd /root && /root/mesosup/bin/node /root/mesosup/lib/cli.js ${args}`);
const LOCAL = '--local --file cluster.yaml';

test('install --local --start makes a cluster without ZooKeeper that is healthy', async () => {
  const { code, stdout, stderr } = await mesosup(`install ${LOCAL} --start --yes --json`);
  expect(code, stdout + stderr).toBe(0);
  const { troubles, access } = JSON.parse(stdout) as ChangeReport;
  expect(troubles).toEqual([]);
  expect(access?.scheduler).toBe(`http://${host.address}:8080`);
  expect((await host.exec('pgrep -x "sshd|java"')).stdout).toBe('');
}, 300_000);

test('afterwards its name is enough, and nothing is left to do', async () => {
  const { code, stdout } = await host.exec(
    'cd / && /root/mesosup/bin/node /root/mesosup/lib/cli.js status --name alone --json',
  );
  expect(code, stdout).toBe(0);
  const { hosts } = JSON.parse(stdout) as ClusterStatus;
  expect(hosts.map(({ healthy, drift }) => ({ healthy, drift }))).toEqual([{ healthy: true, drift: 0 }]);
  const again = await mesosup(`install ${LOCAL} --start --yes`);
  expect(again.code, again.stdout).toBe(0);
  expect(again.stdout).toContain('no changes on 1 host');
});

test('uninstall --purge takes it away, with its secrets', async () => {
  const { code, stdout, stderr } = await mesosup(`uninstall ${LOCAL} --purge --yes`);
  expect(code, stdout + stderr).toBe(0);
  const left = await host.run(
    'ls -d /opt/mesosup /etc/mesos* /var/lib/mesos* /root/.local/state/mesosup/*/secrets.json 2>/dev/null; true',
  );
  expect(left).toBe('');
}, 120_000);
