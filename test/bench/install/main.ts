/**
 * Measures an installation on lab hosts of this machine, in comparison with bare commands over OpenSSH's ssh:
 *
 *   npm run bench:install -- [--only first,unchanged,add] [--rounds N] [--ansible] [HOSTS …]    default: 3 and 10
 *
 * For each number of hosts:
 *
 * - first: a first install by mesosup, and by the bare commands for the same files, packages and services on the same
 *   number of fresh hosts in parallel (`shell.ts`); both end when the cluster runs
 * - unchanged: runs that have nothing to change, and the same checks by bare parallel ssh (`unchanged.ts`); with
 *   `--ansible`, also a playbook with the same keys, repositories, packages, files, users and services
 * - add: one host more, by `mesosup node add`
 *
 * Hosts share this machine's processors, so what they compute is part of each time.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../e2e/demo-cluster.ts';
import { LabCluster } from '../../e2e/support/lab-cluster.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { machine } from '../figures.ts';
import { ansibleVersion, measureAnsible } from './ansible.ts';
import { bareInstall, planResources } from './first.ts';
import { dropCaches, hostsCpu, load, measure, type Taken } from './measure.ts';
import { compareUnchanged } from './unchanged.ts';

const PARTS = ['first', 'unchanged', 'add'] as const;

const { values: flags, positionals } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    rounds: { type: 'string', default: '9' },
    ansible: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const counts = positionals.length > 0 ? positionals.map(Number) : [3, 10];
const rounds = Number(flags.rounds);
const parts = new Set(flags.only.split(','));
if ([...counts, rounds].some((n) => !Number.isInteger(n) || n < 1))
  throw new TypeError('the numbers of hosts and rounds must be 1 or more');
if ([...parts].some((part) => !PARTS.some((one) => one === part)))
  throw new TypeError(`--only takes ${PARTS.join(', ')}`);
const dist = path.join(root, 'dist');

async function labOf(count: number, members = count): Promise<{ lab: Lab; cluster: LabCluster }> {
  // Ansible needs Python on the hosts; all measurements start with it installed. Without a first install, the others don't
  // depend on it.
  const packages = [
    ...(flags.ansible ? ['python3', 'python3-apt'] : []),
    ...(parts.has('first') ? [] : MEMBER_PACKAGES),
  ];
  const hosts = Array.from({ length: count }, () => ({ packages }));
  const lab = await startLab({ hosts, say: (step) => console.log(`  lab: ${step}`) });
  const cluster = new LabCluster(lab);
  await cluster.writeSpec({
    hosts: lab.hosts.slice(0, members).map((h) => h.name),
    // The bare commands make no certificates.
    ...(parts.has('first') && { tls: false }),
  });
  return { lab, cluster };
}

async function bareTaken(count: number): Promise<{ seconds: number; hosts: number }> {
  const { lab, cluster } = await labOf(count);
  try {
    return await bareInstall(lab, cluster, dist);
  } finally {
    await lab.stop();
  }
}

function mesosup(cluster: LabCluster, command: string, ...args: string[]): Promise<Taken> {
  return measure([cluster.program, ...cluster.arguments(command, ...args)], cluster.directory);
}

function shown({ seconds, cpu }: Taken): string {
  return `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of this machine's processors for mesosup itself`;
}

async function compare(count: number): Promise<string[]> {
  const lines = [`${count} hosts`];
  const add = (...more: string[]) => {
    lines.push(...more);
    for (const line of more) console.log(line);
  };
  const bare = parts.has('first') ? await bareTaken(count) : undefined;
  const { lab, cluster } = await labOf(parts.has('add') ? count + 1 : count, count);
  try {
    const resources = await planResources(cluster);
    await dropCaches();
    const before = await hostsCpu(lab);
    const first = await mesosup(cluster, 'install', '--start', '--yes');
    const used = (await hostsCpu(lab)) - before;
    add(
      `  first install, ${load()}:`,
      `    mesosup install --start: ${shown(first)}, ${(used / count).toFixed(1)} s of each host's`,
    );
    if (bare !== undefined) {
      const ratio = (first.seconds / bare.seconds).toFixed(2);
      add(
        `    bare commands: ${bare.seconds.toFixed(1)} s, ${(bare.hosts / count).toFixed(1)} s of each host's ` +
          `processors; mesosup takes ${ratio} times as long`,
      );
    }
    if (parts.has('unchanged')) {
      add(...(await compareUnchanged(lab, cluster, [...resources.keys()], rounds)));
      if (flags.ansible) add(...(await measureAnsible(lab, cluster, resources, dist, 3)));
    }
    const more = lab.hosts[count];
    if (parts.has('add') && more) {
      await dropCaches();
      const taken = await mesosup(cluster, 'node', 'add', more.name, '--yes');
      add(`  one host more, ${load()}:`, `    mesosup node add: ${shown(taken)}`);
    }
    return lines;
  } finally {
    await lab.stop();
  }
}

// The same for all commands: the pass phrase of a cluster's certificates is there.
const config = await mkdtemp(path.join(tmpdir(), 'mesosup-bench-'));
process.env.XDG_CONFIG_HOME = config;
console.log(`${machine()}${flags.ansible ? `, ${await ansibleVersion()}` : ''}`);
const lines: string[] = [];
for (const count of counts) lines.push(...(await compare(count)));
await rm(config, { recursive: true });
console.log(`\n${lines.join('\n')}`);
