/** The same desired state, by a typical Ansible playbook over the hosts of an installed cluster. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { reveal } from '../../../src/cluster/secrets.ts';
import { payload } from '../../../src/install/edge/payload.ts';
import type { Resource } from '../../../src/install/resources/registry.ts';
import type { LabCluster } from '../../e2e/support/lab-cluster.ts';
import type { Lab } from '../../lab/lab.ts';
import { median } from '../figures.ts';
import { load, seconds } from './measure.ts';
import { fileContents, hostVars, playbook } from './playbook.ts';

/** @throws Error if Ansible is missing */
export async function ansibleVersion(): Promise<string> {
  const { stdout } = await execa('ansible', ['--version']).catch(() => {
    throw new Error('ansible is missing: apt-get install --no-install-recommends ansible-core');
  });
  return stdout.split('\n')[0] ?? '';
}

/** Writes inventory, values and playbook. @returns a function that runs it */
async function prepareAnsible(
  lab: Lab,
  cluster: LabCluster,
  resources: ReadonlyMap<string, Resource[]>,
  dist: string,
) {
  const directory = path.join(cluster.directory, 'ansible');
  await mkdir(path.join(directory, 'host_vars'), { recursive: true, mode: 0o700 });
  const secrets = await cluster.secrets();
  const archive = await payload(dist);
  await writeFile(path.join(directory, 'hosts'), [...resources.keys()].map((name) => `${name}\n`).join(''));
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
    `forks = ${resources.size}`,
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

/** @returns lines for people: the playbook's first run, and runs without changes */
export async function measureAnsible(
  lab: Lab,
  cluster: LabCluster,
  resources: ReadonlyMap<string, Resource[]>,
  dist: string,
  rounds: number,
): Promise<string[]> {
  const run = await prepareAnsible(lab, cluster, resources, dist);
  const first = await seconds(run);
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    taken.push(
      await seconds(async () => {
        const recap = await run();
        if (!/changed=0/.test(recap) || /changed=[1-9]/.test(recap))
          throw new Error(`not settled:\n${recap}`);
      }),
    );
  }
  return [
    `    ansible: ${median(taken).toFixed(2)} s, median of ${rounds}, ${load()}; its first run over the same hosts ${first.toFixed(1)} s`,
  ];
}
