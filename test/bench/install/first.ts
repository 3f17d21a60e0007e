/** A first install of bare hosts: by bare commands, and by mesosup. */

import { execa } from 'execa';
import { reveal } from '../../../src/cluster/secrets.ts';
import { fetchKeys } from '../../../src/install/edge/keys.ts';
import { payload } from '../../../src/install/edge/payload.ts';
import type { Plan } from '../../../src/install/plan.ts';
import type { Resource } from '../../../src/install/resources/registry.ts';
import { until } from '../../e2e/demo-cluster.ts';
import { type LabCluster, PORTS } from '../../e2e/support/lab-cluster.ts';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import { dropCaches, hostsCpu, seconds } from './measure.ts';
import { ARCHIVE, bareCommands } from './shell.ts';

/** Returns the resources of the plan for bare hosts, with secrets and keys. */
export async function planResources(cluster: LabCluster): Promise<Map<string, Resource[]>> {
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
async function waitForCluster(hosts: readonly LabHost[], cluster: LabCluster): Promise<void> {
  await until(
    'the cluster forms',
    async () => {
      const answers = await Promise.all(
        hosts.slice(0, 3).map(async (host) => {
          const answer = await cluster.operator(host, PORTS.master, '/metrics/snapshot');
          return (await answer.json()) as Record<string, number>;
        }),
      );
      const leads = answers.find((metrics) => metrics['master/elected'] === 1);
      return leads?.['master/slaves_active'] === hosts.length && leads['master/frameworks_active'] === 1;
    },
    300_000,
  );
}

/**
 * Runs the bare commands on all hosts in parallel.
 *
 * @returns seconds until all hosts are done and the cluster runs, and of the hosts' processor time
 */
export async function bareInstall(
  lab: Lab,
  cluster: LabCluster,
  dist: string,
): Promise<{ seconds: number; hosts: number }> {
  const resources = await planResources(cluster);
  const secrets = await cluster.secrets();
  const archive = await payload(dist);
  await dropCaches();
  const before = await hostsCpu(lab);
  const taken = await seconds(async () => {
    await Promise.all(
      lab.hosts.map(async (host) => {
        const ssh = ['-F', lab.ssh.config, host.name];
        await execa('ssh', [...ssh, `cat >${ARCHIVE}`], { inputFile: archive.file });
        const script = bareCommands(resources.get(host.name) ?? [], (text) => reveal(text, secrets));
        await execa('ssh', [...ssh, 'sh -s'], { input: script });
      }),
    );
    await waitForCluster(lab.hosts, cluster);
  });
  return { seconds: taken, hosts: (await hostsCpu(lab)) - before };
}
