/** Upgrades mesosup and all packages of a lab's cluster under load, and checks what must be true of each such upgrade. */

import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import { root } from '../demo-cluster.ts';
import { runExample } from './cluster-example.ts';
import { expectDone, type LabCluster } from './lab-cluster.ts';
import { offerNewer } from './newer-packages.ts';
import { taskContainers, watched } from './upgrade-watch.ts';

/** Makes a copy of this build that says that it is older. @returns its program */
export async function olderProgram({ directory }: Lab): Promise<string> {
  const older = path.join(directory, 'older/dist');
  await cp(path.join(root, 'dist'), older, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (from) => !from.endsWith('dist/cache'),
  });
  for (const name of ['package.json', 'lib/oclif.manifest.json']) {
    const file = path.join(older, name);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/"version": ?"[^"]*"/, '"version": "0.0.9"'));
  }
  return path.join(older, 'bin/mesosup');
}

/** Installs and starts the cluster with another program. */
export async function installWith(cluster: LabCluster, program: string): Promise<void> {
  const own = cluster.program;
  cluster.program = program;
  const install = () => cluster.run('install', '--start', '--yes');
  let done = await install();
  // On a busy machine, a master that starts can lose its session with ZooKeeper, and then ends. It is started again.
  if (done.code === 1) {
    console.log(`${done.all}
The installation is resumed.`);
    done = await install();
  }
  expectDone(done);
  cluster.program = own;
}

/** The program in use on a host. */
export async function payloadOf(host: LabHost): Promise<string> {
  return (await host.run('readlink /opt/mesosup/current')).trim();
}

export async function packageVersion(host: LabHost, name: string): Promise<string> {
  return host.run(`dpkg-query -W -f '\${Version}' ${name}`);
}

/** Makes newer packages available to the hosts' apt. @returns the new version by package */
export async function offerAll({ hosts, mesos }: Lab): Promise<Record<string, string>> {
  const newer = await offerNewer(hosts as [LabHost, ...LabHost[]], {
    zookeeper: 's/$/+lab1/',
    'docker.io': 's/$/+lab1/',
  });
  return { ...newer, 'aventer-mesos': mesos().nextVersion };
}

/** @throws Error if a request fails, a container restarts, something is not upgraded, or the example of 2013 does not run */
export async function upgradeEverything(
  cluster: LabCluster,
  newer: Readonly<Record<string, string>>,
  balanced: Parameters<typeof watched>[1],
  title: string,
  ...args: string[]
): Promise<void> {
  const { lab } = cluster;
  const was = await taskContainers(lab);
  const { failures } = await watched(cluster, balanced, title, async () => {
    const done = await cluster.run('upgrade', '--yes', ...args);
    console.log(done.all);
    expectDone(done);
  });
  expect(failures).toEqual([]);
  expect(await taskContainers(lab)).toEqual(was);
  for (const host of lab.hosts)
    for (const [name, version] of Object.entries(newer))
      expect(await packageVersion(host, name)).toBe(version);
  await cluster.healthy();
  const again = await cluster.run('upgrade', '--yes');
  expect(again.stdout).toMatch(/no changes/i);
  expect(await cluster.planned()).toEqual({});
  await runExample(cluster, lab.host('h1'));
}
