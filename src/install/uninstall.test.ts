import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bareFacts,
  clusterOf,
  directoryFacts,
  fileFacts,
  hostOf,
  planInput,
  sha256,
} from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import { anyCluster, anyHosts } from '../../test/install/random-cluster.ts';
import { runs } from '../../test/support/runs.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import type { PlanItem } from './plan.ts';
import { planCluster } from './plan-cluster.ts';
import type { JournalEntry } from './resources/registry.ts';
import { uninstallItems, uninstallPlan } from './uninstall.ts';

function uninstall(cluster: Cluster, facts: ReadonlyMap<string, Facts>, purge: boolean) {
  return uninstallPlan({ cluster, facts, version: '1.2.3', purge, sha256 });
}

function install(cluster: Cluster, facts: ReadonlyMap<string, Facts>): Map<string, Facts> {
  const plan = planCluster(planInput(cluster, facts, { start: true }));
  return new Map(
    plan.hosts.map((host) => {
      const own = facts.get(host.host);
      if (own === undefined) throw new Error(host.host);
      return [host.host, applyToFacts(own, host)];
    }),
  );
}

const cluster = clusterOf([hostOf('h1', { roles: ['master', 'scheduler', 'agent'] })]);
const bare = new Map([['h1', bareFacts('10.0.0.1')]]);

test('--purge restores the previous state of a host completely', () => {
  const any = anyCluster.chain((one) => fc.record({ cluster: fc.constant(one), facts: anyHosts(one) }));
  fc.assert(
    fc.property(any, (one) => {
      const after = install(one.cluster, one.facts);
      for (const plan of uninstall(one.cluster, after, true).hosts) {
        const [before, own] = [one.facts.get(plan.host), after.get(plan.host)];
        if (before === undefined || own === undefined) throw new Error(plan.host);
        const gone = applyToFacts(own, plan);
        const bareOf = (facts: Facts) =>
          Object.fromEntries(
            Object.entries(facts.files).map(([path, { text: _text, ...found }]) => [path, found]),
          );
        expect(bareOf(gone)).toEqual(bareOf(before));
        expect(gone.packages).toEqual(before.packages);
        expect(gone.mesosup.payloads).toEqual([]);
        expect(Object.keys(gone.users).filter((name) => name !== 'zookeeper')).toEqual([]);
      }
    }),
    { numRuns: runs(40) },
  );
});

test('keeps data without --purge', () => {
  const removed = (purge: boolean) =>
    uninstall(cluster, install(cluster, bare), purge).hosts[0]?.items.map(({ title }) => title) ?? [];
  const data = '/var/lib/mesos/agent: remove with its content';
  expect(removed(true)).toContain(data);
  expect(removed(true)).toContain('/var/lib/docker: remove with its content');
  expect(removed(true)).toContain('package docker.io: purge');
  expect(removed(false)).not.toContain(data);
  expect(removed(false)).toContain('package docker.io: remove');
  expect(removed(false).some((title) => title.includes('/var/lib/docker'))).toBe(false);
});

test('services stop first, and the tasks that end are counted', () => {
  const after = install(cluster, bare);
  const own = after.get('h1');
  if (own === undefined) throw new Error('no h1');
  after.set('h1', { ...own, agent: { ...own.agent, tasks: 5 } });
  const items = uninstall(cluster, after, false).hosts[0]?.items ?? [];
  const kinds = items.map(({ id }) => id.slice(0, id.indexOf(':')));
  expect(kinds.lastIndexOf('service')).toBeLessThan(kinds.indexOf('file'));
  expect(items.find(({ id }) => id === 'service:mesos-agent')).toMatchObject({
    title: 'service mesos-agent: stop and disable, and end its tasks',
    endsTasks: 5,
  });
  expect(items.at(-1)?.id).toBe('directory:/var/lib/mesosup');
});

test('removes a Docker that mesosup installed with its containers, and restores the mode of a mount point for its data', () => {
  const items = (own: Facts, purge: boolean) =>
    uninstall(cluster, install(cluster, new Map([['h1', own]])), purge).hosts[0]?.items ?? [];
  const mounted = bareFacts('10.0.0.1', { files: { '/var/lib/docker': directoryFacts({ mode: '0755' }) } });
  const about = (all: readonly PlanItem[]) =>
    all
      .filter(({ id }) => /(service:|lib\/)docker$|^directory:\/etc\/cni/.test(id))
      .map(({ title }) => title);
  expect(about(items(mounted, true))).toEqual([
    'service docker: stop and disable, and remove all containers',
    '/var/lib/docker: remove with its content',
    '/etc/cni/net.d: remove',
    '/etc/cni: remove',
    '/var/lib/docker: restore the state before mesosup',
  ]);
  // The directory contains data that only root may see.
  expect(about(items(mounted, false))).not.toContain('/var/lib/docker: restore the state before mesosup');
});

test('restores a service that ran before mesosup, and its files', () => {
  const own = bareFacts('10.0.0.1', {
    packages: { 'docker.io': { version: '20.10', status: 'install ok installed' } },
    files: { '/etc/docker/daemon.json': fileFacts('{"debug":true}') },
    services: {
      docker: {
        enabled: 'enabled',
        state: 'running',
        pid: 7,
        file: '/lib/systemd/system/docker.service',
        inputs: '',
        needsReload: false,
        restarts: 0,
      },
    },
  });
  const items = uninstall(cluster, install(cluster, new Map([['h1', own]])), true).hosts[0]?.items ?? [];
  const about = items.filter(({ id }) => /^service:docker$|daemon\.json$|^package:docker/.test(id));
  expect(about.map(({ title }) => title)).toEqual([
    '/etc/docker/daemon.json: restore the state before mesosup',
    'service docker: enable and restart, as before mesosup was installed',
  ]);
});

test('has no items for a host that was never installed', () => {
  expect(uninstall(cluster, bare, true).hosts[0]?.items).toEqual([]);
});

test('keeps the payload of bootstrap.sh, and removes those of the installer', () => {
  const after = install(cluster, bare).get('h1');
  if (after === undefined) throw new Error('h1');
  const payloads = ['1.0.0', ...after.mesosup.payloads];
  const facts = { ...after, mesosup: { ...after.mesosup, payloads, released: ['1.0.0'] } };
  const items = uninstall(cluster, new Map([['h1', facts]]), true).hosts[0]?.items ?? [];
  const removed = items.filter(({ id }) => id.startsWith('payload:')).map(({ id }) => id);
  expect(removed).toEqual(after.mesosup.payloads.map((version) => `payload:${version}`));
});

test('installs a removed package again at the end, unless the owner has done so', () => {
  const journal: JournalEntry[] = [
    { kind: 'package', name: 'docker.io', before: 'absent' },
    { kind: 'package', name: 'containerd.io', before: { version: '1.6.20-1' }, removed: true },
    { kind: 'package', name: 'libc6', before: { version: '2.36-9' } },
  ];
  const found = bareFacts('10.0.0.1');
  const facts = { ...found, mesosup: { ...found.mesosup, cluster: 'prod', journal } };
  const packagesOf = (own: Facts) =>
    uninstallItems(own, false, []).flatMap(({ id, action }) =>
      id.startsWith('package:') ? [`${action} ${id}`] : [],
    );
  expect(packagesOf(facts)).toEqual(['remove package:docker.io', 'restore package:containerd.io']);
  const packages = { 'containerd.io': { version: '1.7', status: 'install ok installed' } };
  expect(packagesOf({ ...facts, packages })).toEqual(['remove package:docker.io']);
});
