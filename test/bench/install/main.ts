/**
 * Measures an installation, in comparison with bare shell commands and Ansible on the same hosts:
 *
 *   npm run bench:install [HOSTS …]        default: 3 and 10
 *
 * For each number of hosts, on lab hosts of this machine: a first install by mesosup, and by bare shell commands on the
 * same number of fresh hosts in parallel; then runs without changes, by mesosup and by an Ansible playbook with the same
 * keys, repositories, packages, files, users and services, after a first run of the playbook.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { reveal } from '../../../src/cluster/secrets.ts';
import { fetchKeys } from '../../../src/install/edge/keys.ts';
import { payload } from '../../../src/install/edge/payload.ts';
import type { Plan } from '../../../src/install/plan.ts';
import type { Resource } from '../../../src/install/resources/registry.ts';
import { root, until } from '../../e2e/demo-cluster.ts';
import { expectDone, LabCluster, PORTS } from '../../e2e/support/lab-cluster.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { machine, median } from '../figures.ts';
import { fileContents, hostVars, playbook } from './playbook.ts';
import { ARCHIVE, bareCommands } from './shell.ts';

const RUNS = 3;

const counts = process.argv.slice(2).map(Number);
if (counts.some((n) => !Number.isInteger(n) || n < 1))
  throw new TypeError('arguments must be numbers of hosts');
const dist = path.join(root, 'dist');

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/**
 * Writes out and drops the kernel's file caches. dpkg's syncs take longer with larger caches, up to half of its time in
 * the kernel, so that the first measurement would slow down the second.
 */
async function dropCaches(): Promise<void> {
  await execa('sync');
  await writeFile('/proc/sys/vm/drop_caches', '3');
}

async function labOf(count: number): Promise<{ lab: Lab; cluster: LabCluster }> {
  // Ansible needs Python on the hosts; all measurements start with it installed.
  const hosts = Array.from({ length: count }, () => ({ packages: ['python3', 'python3-apt'] }));
  const lab = await startLab({ hosts, say: (step) => console.log(`  lab: ${step}`) });
  const cluster = new LabCluster(lab);
  await cluster.writeSpec({ hosts: lab.hosts.map((h) => h.name) });
  return { lab, cluster };
}

/** Returns the resources of the plan for bare hosts, with secrets and keys. */
async function planResources(cluster: LabCluster): Promise<Map<string, Resource[]>> {
  // Saving a plan creates the secrets.
  await cluster.run('plan', '--out', 'bare.json');
  const { stdout } = await cluster.run('plan', '--json', '--start');
  const plan = await fetchKeys((JSON.parse(stdout) as { plan: Plan }).plan);
  const unique = (resources: Resource[]) => [...new Set(resources)];
  return new Map(
    plan.hosts.map(({ host, items }) => [host, unique(items.flatMap(({ resource }) => resource ?? []))]),
  );
}

/** Waits until a master leads with all agents and the scheduler has subscribed, the end of both measurements. */
async function waitForCluster(lab: Lab, cluster: LabCluster): Promise<void> {
  await until(
    'the cluster forms',
    async () => {
      const answers = await Promise.all(
        lab.hosts.slice(0, 3).map(async (host) => {
          const answer = await cluster.operator(host, PORTS.master, '/metrics/snapshot');
          return (await answer.json()) as Record<string, number>;
        }),
      );
      const leads = answers.find((metrics) => metrics['master/elected'] === 1);
      return leads?.['master/slaves_active'] === lab.hosts.length && leads['master/frameworks_active'] === 1;
    },
    300_000,
  );
}

/** Runs the bare commands on all hosts in parallel. @returns seconds until all hosts are done and the cluster runs */
async function bareShell(count: number): Promise<number> {
  const { lab, cluster } = await labOf(count);
  try {
    const resources = await planResources(cluster);
    const secrets = await cluster.secrets();
    const archive = await payload(dist);
    await dropCaches();
    return await seconds(async () => {
      await Promise.all(
        lab.hosts.map(async (host) => {
          const ssh = ['-F', lab.ssh.config, host.name];
          await execa('ssh', [...ssh, `cat >${ARCHIVE}`], { inputFile: archive.file });
          const script = bareCommands(resources.get(host.name) ?? [], (text) => reveal(text, secrets));
          await execa('ssh', [...ssh, 'sh -s'], { input: script });
        }),
      );
      await waitForCluster(lab, cluster);
    });
  } finally {
    await lab.stop();
  }
}

/** Writes inventory, values and playbook. @returns a function that runs it */
async function ansible(lab: Lab, cluster: LabCluster, resources: ReadonlyMap<string, Resource[]>) {
  const directory = path.join(cluster.directory, 'ansible');
  await mkdir(path.join(directory, 'host_vars'), { recursive: true, mode: 0o700 });
  const secrets = await cluster.secrets();
  const archive = await payload(dist);
  await writeFile(path.join(directory, 'hosts'), lab.hosts.map((h) => `${h.name}\n`).join(''));
  for (const [host, list] of resources) {
    await writeFile(path.join(directory, 'host_vars', `${host}.yml`), stringify(hostVars(host, list)));
    const files = path.join(directory, 'files', host);
    await mkdir(files, { recursive: true });
    for (const [i, content] of fileContents(list, (text) => reveal(text, secrets)).entries()) {
      await writeFile(path.join(files, String(i)), content, { mode: 0o600 });
    }
  }
  await writeFile(path.join(directory, 'site.yml'), playbook(archive.file));
  // Usual settings for speed.
  const settings = [
    '[defaults]',
    'inventory = hosts',
    `forks = ${lab.hosts.length}`,
    'interpreter_python = /usr/bin/python3',
    '[ssh_connection]',
    'pipelining = True',
    `ssh_args = -F ${lab.ssh.config} -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=${directory}/%C`,
    '',
  ];
  await writeFile(path.join(directory, 'ansible.cfg'), settings.join('\n'));
  return async () => {
    const { stdout } = await execa('ansible-playbook', ['site.yml'], { cwd: directory });
    return stdout;
  };
}

async function compare(count: number): Promise<string> {
  console.log(`\n${count} hosts`);
  const bare = await bareShell(count);
  console.log(
    `  first install, bare shell commands on all hosts in parallel, until the cluster runs: ${bare.toFixed(1)} s`,
  );
  const { lab, cluster } = await labOf(count);
  try {
    const resources = await planResources(cluster);
    await dropCaches();
    const first = await seconds(async () => expectDone(await cluster.run('install', '--start', '--yes')));
    console.log(
      `  first install, mesosup install --start: ${first.toFixed(1)} s, ${(first / bare).toFixed(2)} times the bare commands`,
    );
    const run = await ansible(lab, cluster, resources);
    const again = await seconds(run);
    console.log(`  ansible's first run over the same hosts: ${again.toFixed(1)} s`);
    const theirs: number[] = [];
    const ours: number[] = [];
    for (let i = 0; i < RUNS; i += 1) {
      theirs.push(
        await seconds(async () => {
          const recap = await run();
          if (!/changed=0/.test(recap) || /changed=[1-9]/.test(recap))
            throw new Error(`not settled:\n${recap}`);
        }),
      );
      ours.push(
        await seconds(async () => {
          const done = await cluster.run('install', '--yes');
          expectDone(done);
          if (!/no changes/i.test(done.stdout)) throw new Error(`not settled:\n${done.all}`);
        }),
      );
    }
    const [mesosup, peer] = [median(ours), median(theirs)];
    return `hosts ${count}: mesosup ${mesosup.toFixed(2)} s, ansible ${peer.toFixed(2)} s, ratio ${(peer / mesosup).toFixed(1)}`;
  } finally {
    await lab.stop();
  }
}

const { stdout: version } = await execa('ansible', ['--version']).catch(() => {
  throw new Error('ansible is missing: apt-get install --no-install-recommends ansible-core');
});
console.log(`${machine()}, ${version.split('\n')[0]}`);
const lines: string[] = [];
for (const count of counts.length > 0 ? counts : [3, 10]) lines.push(await compare(count));
console.log(`\n${lines.join('\n')}`);
