/**
 * The members of a running cluster change one at a time: hosts with ZooKeeper, a master and a scheduler join, leave and
 * are replaced, while an app is asked all along. In the soak, all of them are lost, and a backup is restored.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeRow } from '../../../src/install/node-rows.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { docCommand } from '../../support/docs.ts';
import { root, until } from '../demo-cluster.ts';
import { runExample } from '../support/cluster-example.ts';
import { expectDone, LabCluster } from '../support/lab-cluster.ts';
import { type Load, underLoad } from '../support/redis-load.ts';

const ROLES = 'zookeeper,master,scheduler,agent';
const APP = 'pings';
const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) > 1;
/** Hosts onto which the backup of the cluster is restored. */
const NEW = ['h5', 'h6', 'h7'];
let lab: Lab;
let cluster: LabCluster;

beforeAll(async () => {
  lab = await startLab({
    hosts: Array.from({ length: 4 + (isSoak ? NEW.length : 0) }, () => ({ packages: MEMBER_PACKAGES })),
  });
  cluster = new LabCluster(lab);
  await cluster.writeSpec({ hosts: ['h1', 'h2', 'h3'] });
  await writeFile(cluster.specFile, `# Managed by hand\n${await readFile(cluster.specFile, 'utf8')}`);
  expectDone(await cluster.run('install', '--start', '--yes'));
  await startApp(['h1', 'h2', 'h3']);
});
afterAll(() => lab?.stop());

/** Starts an app with an instance on each of the hosts, which all others can take over. */
async function startApp(names: readonly string[]): Promise<void> {
  const image = await ensureRedisImage();
  await Promise.all(lab.hosts.map((host) => keepImage(host, image)));
  const app = {
    id: `/${APP}`,
    instances: names.length,
    cpus: 0.05,
    mem: 16,
    drainSeconds: 2,
    container: { docker: { image, network: 'BRIDGE' }, portMappings: [{ containerPort: 6379 }] },
  };
  const created = await cluster.api(lab.host(names[0] ?? ''), '/v2/apps', {
    method: 'POST',
    body: JSON.stringify(app),
  });
  expect(created.status, await created.text()).toBe(201);
  await until('all instances run', async () => (await places()).length === names.length, 120_000);
}

/** A host without the cluster's Docker gets the image, too: it may join later. */
async function keepImage(host: LabHost, image: string): Promise<void> {
  await host.run('systemctl start docker');
  await loadImage(host, image);
}

const hostsOf = (...names: string[]): LabHost[] => names.map((name) => lab.host(name));
const places = async () =>
  (await cluster.endpoints(lab.host('h1'), APP)).map(({ host, port }) => `${host}:${port}`);

/** By host, the ids and addresses of ZooKeeper's servers, and the masters' quorum. */
async function members(...names: string[]): Promise<string[]> {
  const read = "sed -n 's/^server[.]\\([0-9]*\\)=\\(.*\\):2888.*/\\1 \\2/p' /etc/mesosup/zookeeper/zoo.cfg";
  const found = await Promise.all(
    hostsOf(...names).map((host) => host.run(`${read}; cat /etc/mesos-master/quorum`)),
  );
  return [...new Set(found.map((text) => text.trim().replaceAll('\n', ', ')))];
}

async function containers(host: LabHost): Promise<string> {
  return host.run('docker ps --filter label=mesosup.task --format \'{{.ID}} {{.Label "mesosup.task"}}\'');
}

function expectServed({ failures, answered }: Load): void {
  expect(failures).toEqual([]);
  expect(answered).toBeGreaterThan(50);
}

const address = (name: string) => lab.host(name).address;
const nodes = async () => JSON.parse((await cluster.run('node', 'list', '-o', 'json')).stdout) as NodeRow[];

test('a fourth member joins: every list and quorum changes, and no container restarts', async () => {
  const old = hostsOf('h1', 'h2', 'h3');
  const before = await Promise.all(old.map(containers));
  const begin = performance.now();
  const load = await underLoad(cluster, old, APP, async () => {
    const added = await cluster.run('node', 'add', 'h4', '--role', ROLES, '--yes');
    expectDone(added);
    console.log(added.all);
  });
  console.log(`added in ${((performance.now() - begin) / 1000).toFixed(0)} s, ${load.answered} requests`);
  expectServed(load);
  expect(await Promise.all(old.map(containers))).toEqual(before);
  const servers = ['h1', 'h2', 'h3', 'h4'].map((name, index) => `${index + 1} ${address(name)}`);
  expect(await members('h1', 'h2', 'h3', 'h4')).toEqual([[...servers, '3'].join(', ')]);
  expect((await nodes()).map(({ host, healthy }) => [host, healthy])).toEqual(
    ['h1', 'h2', 'h3', 'h4'].map((host) => [host, true]),
  );
  expect(await cluster.planned()).toEqual({});
  expect(await readFile(cluster.specFile, 'utf8')).toMatch(/^# Managed by hand\n/);
});

test('the fourth member leaves, and its tasks move without a failed request', async () => {
  const text = await readFile(cluster.specFile, 'utf8');
  const begin = performance.now();
  const load = await underLoad(cluster, hostsOf('h1', 'h2', 'h3'), APP, async () => {
    const removed = await cluster.run('node', 'remove', 'h4', '--yes');
    expectDone(removed);
    console.log(removed.all);
  });
  console.log(`removed in ${((performance.now() - begin) / 1000).toFixed(0)} s, ${load.answered} requests`);
  expectServed(load);
  const servers = ['h1', 'h2', 'h3'].map((name, index) => `${index + 1} ${address(name)}`);
  expect(await members('h1', 'h2', 'h3')).toEqual([[...servers, '2'].join(', ')]);
  expect(await lab.host('h4').run('ls -d /etc/mesosup /opt/mesosup 2>/dev/null || :')).toBe('');
  expect(await readFile(cluster.specFile, 'utf8')).toBe(text.replace(/ {2}- name: h4\n(?: {4}.*\n)*/, ''));
  expect(await cluster.planned()).toEqual({});
});

test('a member that is down prevents all changes but its own replacement', async () => {
  const text = await readFile(cluster.specFile, 'utf8');
  await lab.host('h2').kill();
  const runs = () =>
    Promise.all(
      hostsOf('h1', 'h3').map((host) =>
        host.run('ls /var/lib/mesosup/runs; cat /etc/mesosup/zookeeper/zoo.cfg'),
      ),
    );
  const before = await runs();
  const added = await cluster.run('node', 'add', 'h4', '--role', ROLES, '--yes');
  expect([added.code, added.all]).toEqual([1, expect.stringContaining('h2: the host is unreachable')]);
  await writeFile(cluster.specFile, text.replace(/ {2}- (name: )?h3\n(?: {4}.*\n)*/, ''));
  const edited = await cluster.run('install', '--yes');
  expect([edited.code, edited.all]).toEqual([
    1,
    expect.stringMatching(/the cluster file lacks h3|more than one server/),
  ]);
  await writeFile(cluster.specFile, text);
  expect(await runs()).toEqual(before);
});

test('a new host takes the place of a member that burnt down, with its id and its roles', async () => {
  const begin = performance.now();
  const done = await cluster.run('node', 'replace', 'h2', 'h4', '--yes');
  expectDone(done);
  console.log(done.all);
  console.log(`replaced in ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  const servers = ['h1', 'h4', 'h3'].map((name, index) => `${index + 1} ${address(name)}`);
  expect(await members('h1', 'h3', 'h4')).toEqual([[...servers, '2'].join(', ')]);
  expect(await lab.host('h4').run('cat /var/lib/zookeeper/myid')).toBe('2');
  expect((await nodes()).map(({ host, healthy }) => [host, healthy])).toEqual(
    ['h1', 'h4', 'h3'].map((host) => [host, true]),
  );
  await until('all instances run', async () => (await places()).length === 3, 120_000);
  expect(await cluster.planned()).toEqual({});
});

// Another installation of three hosts takes minutes; install-missing.test.ts restores onto this machine.
test.runIf(isSoak)(
  'after the loss of all hosts, the backup brings the apps back on hosts with other addresses',
  async () => {
    const file = path.join(cluster.directory, 'lab.backup');
    const restored = new LabCluster(lab, 'restored');
    const spec = path.dirname(restored.specFile);
    const mesosup = (args: readonly string[], input: string | Buffer) =>
      execa(path.join(root, 'bin/mesosup'), args, { input, reject: false, all: true });
    const phrase = 'a phrase\n';
    const flags = ['--file', cluster.specFile, '--state', cluster.state, ...cluster.connection()];
    const made = await mesosup(['backup', file, ...flags], phrase);
    expect(made.exitCode, made.all).toBe(0);
    await Promise.all(hostsOf('h1', 'h3', 'h4').map((host) => host.kill()));

    const [, ...restore] = docCommand('docs/nodes.md', 'mesosup restore lab.backup').split(' ');
    const places = ['--state', restored.state, '--to', spec];
    const restoring = (from: string, input: string) =>
      mesosup([...restore.map((word) => word.replace('lab.backup', from)), ...places], input);
    const cut = `${file}.cut`;
    await writeFile(cut, (await readFile(file)).subarray(0, -100));
    for (const [from, input, says] of [
      [file, 'another phrase\n', /pass phrase/],
      [cut, phrase, /cut short|damaged/],
    ] as const) {
      const failed = await restoring(from, input);
      expect([failed.exitCode, failed.stderr]).toEqual([1, expect.stringMatching(says)]);
      await expect(readdir(spec)).rejects.toThrow('ENOENT');
    }
    const done = await restoring(file, phrase);
    expect(done.exitCode, done.all).toBe(0);

    const text = await readFile(restored.specFile, 'utf8');
    await writeFile(
      restored.specFile,
      text.replace(/^hosts:\n(?: .*\n)+/m, `hosts:\n${NEW.map((name) => `  - ${name}\n`).join('')}`),
    );
    await writeFile(path.join(spec, 'sudo-password'), 'none\n', { mode: 0o600 });
    expectDone(await restored.runLine(docCommand('docs/nodes.md', 'mesosup install --start'), '--yes'));
    const on = ['--file', restored.specFile, '--state', restored.state, ...restored.connection()];
    const run = async (line: string, input: string | Buffer) => {
      const all = line.replace(/ <.*/, '').replace(' h4 ', ' h5 ').split(' ').slice(1);
      const dashes = all.indexOf('--');
      const ended = await mesosup([...all.slice(0, dashes), ...on, ...all.slice(dashes)], input);
      expect(ended.exitCode, ended.all).toBe(0);
    };
    await run(docCommand('docs/nodes.md', 'mesosup node exec --role scheduler'), '');
    const saved = await readFile(path.join(spec, 'scheduler.backup'));
    await run(docCommand('docs/nodes.md', 'mesosup node ssh h4 -- sudo'), saved);
    expectDone(await restored.runLine(docCommand('docs/nodes.md', 'mesosup start'), '--yes'));
    const h5 = lab.host('h5');
    const back = async () =>
      (await restored.endpoints(h5, APP).catch(() => [])).filter(({ host }) => addresses.includes(host));
    const addresses = NEW.map(address);
    await until('the app runs again', async () => (await back()).length === 3, 180_000);
    expect(addresses).toContain((await runExample(restored, h5)).host);
  },
);
