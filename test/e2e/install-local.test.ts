/** A host on which the program installs a cluster by itself, with nobody to reach it: no SSH server runs. */

import { createReadStream } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Secrets } from '../../src/cluster/secrets.ts';
import { quote } from '../../src/hosts/quote.ts';
import { payload } from '../../src/install/edge/payload.ts';
import type { ChangeReport } from '../../src/install/edge/run/command-support.ts';
import type { ClusterStatus } from '../../src/install/status.ts';
import type { LabHost } from '../lab/host.ts';
import { ensureRedisImage, loadImage } from '../lab/images.ts';
import { type Lab, startLab } from '../lab/lab.ts';
import { docCommand } from '../support/docs.ts';
import { root, until } from './demo-cluster.ts';
import { fileList, listDifference } from './support/file-list.ts';
import { expectDone, LabCluster, type Outcome } from './support/lab-cluster.ts';

const INSTALL_MS = 600_000;
const APP = 'multidis';
const PROGRAM = '/root/mesosup';
/** Caches of the program itself and what it knows of its clusters. */
const OWN = /^. \/root\/(mesosup\/cache|\.cache|\.local)(\/| |$)/;

/** The commands run on the host, as root. */
class LocalCluster extends LabCluster {
  readonly host: LabHost;

  constructor(lab: Lab, host: LabHost) {
    super(lab);
    this.host = host;
  }

  override async run(command: string, ...args: string[]): Promise<Outcome> {
    const words = [`${PROGRAM}/bin/mesosup`, command, '--local', '--file', '/root/cluster.yaml', ...args];
    const { code, stdout, stderr } = await this.host.exec(words.map(quote).join(' '));
    return { code, stdout, stderr, all: `${stdout}${stderr}` };
  }

  override async secrets(): Promise<Secrets> {
    const text = await this.host.run('cat /root/.local/state/mesosup/lab/secrets.json');
    return JSON.parse(text) as Secrets;
  }
}

let lab: Lab;
let host: LabHost;
let cluster: LocalCluster;
let before: Map<string, string>;

beforeAll(async () => {
  // The program runs on the host before it can bring the library that its runtime needs.
  lab = await startLab({ hosts: [{ packages: ['libatomic1'] }] });
  host = lab.host('h1');
  cluster = new LocalCluster(lab, host);
  await cluster.writeSpec();
  const { file } = await payload(path.join(root, 'dist'));
  await host.run(`mkdir ${PROGRAM} && tar -xz -f - -C ${PROGRAM}`, { input: createReadStream(file) });
  await host.run('cat >/root/cluster.yaml', { input: createReadStream(cluster.specFile) });
  await host.run('systemctl disable --now ssh');
  before = await fileList(host);
}, INSTALL_MS);

afterAll(() => lab?.stop());

test(
  'install --local --start makes a healthy cluster of this machine, with no ZooKeeper',
  async () => {
    const began = performance.now();
    const done = await cluster.runLine(docCommand('README.md', 'mesosup install --local'), '--yes', '--json');
    console.log(`install of this machine: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    expectDone(done);
    const { troubles, access } = JSON.parse(done.stdout) as ChangeReport;
    expect(troubles).toEqual([]);
    expect(access?.scheduler).toBe(`http://${host.address}:8080`);
    expect((await host.exec('pgrep -x "sshd|java"')).stdout).toBe('');
    const status = await cluster.status();
    expect(status.problems).toEqual([]);
    expect(status.hosts.map(({ host: name, healthy, drift }) => ({ name, healthy, drift }))).toEqual([
      { name: 'localhost', healthy: true, drift: 0 },
    ]);
    const services = await host.run('systemctl is-active ssh zookeeper mesos-master mesos-agent; true');
    expect(services.trim().split('\n')).toEqual(['inactive', 'inactive', 'active', 'active']);
  },
  INSTALL_MS,
);

test('what it put on the host is a program that starts, through a link too', async () => {
  await host.run('ln -s /opt/mesosup/current/bin/mesosup /run/mesosup-link');
  const versions = await host.run('/opt/mesosup/current/bin/mesosup --version; /run/mesosup-link --version');
  expect(new Set(versions.trim().split('\n')).size).toBe(1);
  expect(versions).toMatch(/^mesosup\/\d+\.\d+\.\d+/);
});

test('the 2013 example runs on it', async () => {
  const image = await ensureRedisImage();
  await loadImage(host, image);
  const app = { id: APP, instances: 2, mem: 64, cpus: 0.2, executor: '/var/lib/mesos/executors/docker' };
  const answer = await cluster.api(host, '/v1/apps/start', {
    method: 'POST',
    body: JSON.stringify({ ...app, cmd: image }),
  });
  expect(answer.status, await answer.text()).toBe(204);
  const endpoints = await until(
    'two instances run',
    async () => {
      const found = await cluster.endpoints(host, APP);
      return found.length === 2 && found;
    },
    120_000,
  );
  for (const { port } of endpoints) {
    const ask = `docker run --rm --network host ${image} redis-cli -h ${host.address} -p ${port}`;
    expect((await host.run(`${ask} SET x ${port} && ${ask} GET x`)).trim().split('\n')).toEqual([
      'OK',
      String(port),
    ]);
  }
});

test('its name is enough afterwards, and install again changes nothing', async () => {
  const named = await host.exec(`cd / && ${PROGRAM}/bin/mesosup status --name lab --json`);
  expect(named.code, named.stdout).toBe(0);
  const { hosts } = JSON.parse(named.stdout) as ClusterStatus;
  expect(hosts.map(({ healthy, drift }) => ({ healthy, drift }))).toEqual([{ healthy: true, drift: 0 }]);
  const done = await cluster.run('install', '--start', '--yes');
  expectDone(done);
  expect(done.stdout).toContain('no changes on 1 host');
});

test(
  'uninstall ends what runs, and leaves the host as it was',
  async () => {
    expectDone(await cluster.run('uninstall', '--yes', '--purge'));
    const left = listDifference(before, await fileList(host)).filter((line) => !OWN.test(line));
    expect(left).toEqual([]);
    const processes = await host.run("ps -eo args | grep -E '[m]esos|[c]ontainerd-shim|[r]edis'; true");
    expect(processes).toBe('');
    const kept = await host.run(
      'ls -d /opt/mesosup /etc/mesos* /var/lib/mesos* /root/.local/state/mesosup/*/secrets.json 2>/dev/null; true',
    );
    expect(kept).toBe('');
  },
  INSTALL_MS,
);
