import { expect, test } from 'vitest';
import { bareHosts, clusterOf, hostOf, planInput } from '../../../test/install/hosts.ts';
import type { Facts } from '../facts.ts';
import { packageLines } from '../resources/package.ts';
import { resourceId } from '../resources/registry.ts';
import { wantedResources } from './wanted.ts';

const H1 = hostOf('h1');
const INSTALLED = { status: 'install ok installed', version: '1' };

function packages(facts: Partial<Facts> = {}) {
  const cluster = clusterOf([H1]);
  const wanted = wantedResources({
    ...planInput(cluster, bareHosts(cluster, facts)),
    host: H1,
    running: true,
  });
  return wanted.filter((one) => one.kind === 'package');
}

const names = (facts?: Partial<Facts>) =>
  packages(facts)
    .map(({ name }) => name)
    .filter((name) => /java|zookeeper/.test(name));

test('a new host gets the part of Java that ZooKeeper needs, and keeps it', () => {
  expect(names()).toEqual(['mesosup-java', 'zookeeper']);
  expect(names({ packages: { zookeeper: INSTALLED, 'mesosup-java': INSTALLED } })).toEqual([
    'mesosup-java',
    'zookeeper',
  ]);
});

test('a host that has ZooKeeper keeps its Java, and with Upstart apt chooses', () => {
  expect(names({ packages: { zookeeper: INSTALLED } })).toEqual(['zookeeper']);
  expect(names({ init: 'upstart' })).toEqual(['zookeeper']);
});

test('the host makes that package, and apt installs it together with ZooKeeper', () => {
  const items = packages()
    .filter(({ name }) => /java|zookeeper/.test(name))
    .map((resource, index) => ({
      item: { id: resourceId(resource), action: 'install' as const, title: '', diff: [], resource },
      index,
    }));
  const lines = packageLines('install', items, []);
  expect(lines.at(-2)).toMatch(
    /^make_package 'Package: mesosup-java\n(.|\n)*\n' "\$dir"\/mesosup-java\.deb$/,
  );
  expect(lines.at(-1)).toBe('install_packages "$dir"/mesosup-java.deb zookeeper');
});
