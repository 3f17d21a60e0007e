import { expect, test } from 'vitest';
import { bareHosts, payload } from '../../../test/install/hosts.ts';
import {
  checkHost,
  checkThreeHosts,
  installedPackage,
  systemFacts,
  threeHosts,
} from '../../../test/install/preflight.ts';
import { preflight } from './preflight.ts';

test('accepts bare hosts of a supported system', () => {
  expect(preflight({ cluster: threeHosts, facts: bareHosts(threeHosts), payload })).toEqual([]);
});

test('gives a remedy for every problem', () => {
  const problems = checkHost({
    ...systemFacts('fedora', '40'),
    glibc: '2.17',
    init: 'other',
    memoryBytes: 1,
    addresses: [],
  });
  expect(problems.map(({ check }) => check)).toEqual(['system', 'init', 'glibc', 'memory']);
  for (const { remedy } of problems) expect(remedy).not.toBe('');
});

test('accepts an unreachable master on a first install', () => {
  const facts = bareHosts(threeHosts);
  facts.delete('h3');
  expect(preflight({ cluster: threeHosts, facts, payload })).toEqual([]);
});

test('warns of different versions of ZooKeeper in one ensemble', () => {
  const zookeeper = (version: string) => ({ packages: { zookeeper: installedPackage(version) } });
  expect(
    checkThreeHosts({ h1: zookeeper('3.8.0-11'), h2: zookeeper('3.8.4-1'), h3: zookeeper('3.9.1-1') }),
  ).toEqual(['h3 warning zookeeper: its ZooKeeper is 3.9, but h1 has 3.8']);
});
