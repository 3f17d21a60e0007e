import { expect, test } from 'vitest';
import { aptFacts, bareHosts, clusterOf, hostOf, planInput, scripts } from '../../test/install/hosts.ts';
import { findOwnersLosses } from './apt-changes.ts';
import type { AptChange } from './apt-facts.ts';
import { planCluster } from './plan-cluster.ts';
import { renderPlan } from './render-plan.ts';
import type { JournalEntry } from './resources/registry.ts';
import { applyScript } from './script/apply-script.ts';

const REMOVED: AptChange = {
  name: 'containerd.io',
  action: 'remove',
  from: '1.6.20-1',
  conflictsWith: 'runc',
  wantedBy: 'docker.io',
};
const cluster = clusterOf([hostOf('h1')]);
const planned = (changes: readonly AptChange[]) =>
  planCluster(planInput(cluster, bareHosts(cluster, { apt: aptFacts({ changes }) })));
const itemsOf = (changes: readonly AptChange[]) => planned(changes).hosts[0]?.items ?? [];

test('a removal is an item with its cause, directly before the package that causes it', () => {
  const items = itemsOf([REMOVED]);
  const at = items.findIndex(({ id }) => id === 'package:docker.io');
  expect(items[at - 1]).toEqual({
    id: 'package:containerd.io',
    action: 'remove',
    title: 'package containerd.io: remove 1.6.20-1',
    diff: [],
    reason: 'because it conflicts with runc, which docker.io needs',
    byApt: true,
  });
  expect(renderPlan(planned([REMOVED]), { colour: false })).toContain(
    '  - package containerd.io: remove 1.6.20-1 because it conflicts with runc, which docker.io needs\n',
  );
});

test('a downgrade is an item too', () => {
  const down: AptChange = { name: 'tini', action: 'downgrade', from: '9', to: '1', wantedBy: 'docker.io' };
  expect(itemsOf([down]).find(({ id }) => id === 'package:tini')).toMatchObject({
    action: 'change',
    title: 'package tini: downgrade 9 → 1',
    reason: 'because docker.io needs it',
  });
});

test('new dependencies and upgrades are lines of the package that causes them, or else of the last package', () => {
  const added = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
    (name): AptChange => ({ name, action: 'install', to: '1', wantedBy: 'docker.io' }),
  );
  const items = itemsOf([...added, { name: 'libc6', action: 'upgrade', from: '2.36-9', to: '2.36-10' }]);
  expect(items.find(({ id }) => id === 'package:docker.io')?.diff).toEqual([
    ' also installs a, b, c, d, e, f and 2 more',
  ]);
  const last = items.findLast(({ resource }) => resource?.kind === 'package');
  expect(last?.diff).toEqual([' also upgrades libc6 2.36-9 → 2.36-10']);
  expect(items).toHaveLength(itemsOf([]).length);
});

test('one run of apt-get removes and installs, and only packages in the plan may be removed', () => {
  const host = planned([REMOVED]).hosts[0];
  if (host === undefined) throw new TypeError('there is no plan');
  const options = { run: 'r', command: 'install' as const, cluster: 'c', who: 'me', allowRemove: ['other'] };
  const keyed = host.items.map((item) =>
    item.resource?.kind === 'apt-key' ? { ...item, resource: { ...item.resource, content: '' } } : item,
  );
  const secrets = planInput(cluster, new Map()).secrets;
  const script = applyScript(scripts, { ...host, items: keyed }, { ...options, secrets });
  const installs = script.split('\n').filter((line) => line.startsWith('install_packages '));
  expect(installs.filter((line) => line.includes('docker.io'))).toHaveLength(1);
  expect(installs.join('\n')).toContain(' containerd.io-');
  expect(script).not.toContain('drop_packages remove containerd.io');
  const allowed = /^ALLOWED='([^']*)'$/m.exec(script)?.[1]?.split('\n') ?? [];
  expect(allowed).toEqual(expect.arrayContaining(['containerd.io', 'docker.io', 'other']));
  expect(allowed).not.toContain('*');
});

test('packages that mesosup installed may be removed without permission', () => {
  const [facts] = bareHosts(cluster, { apt: aptFacts({ changes: [REMOVED] }) }).values();
  if (facts === undefined) throw new TypeError('there is no host');
  expect(findOwnersLosses(facts)).toEqual([REMOVED]);
  const journal: JournalEntry[] = [{ kind: 'package', name: 'containerd.io', before: 'absent' }];
  expect(findOwnersLosses({ ...facts, mesosup: { ...facts.mesosup, journal } })).toEqual([]);
});
