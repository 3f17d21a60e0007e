import { expect, test } from 'vitest';
import { aptFacts, bareFacts, clusterOf, hostOf, payload } from '../../../test/install/hosts.ts';
import { checkHost, render } from '../../../test/install/preflight.ts';
import type { AptFacts } from '../apt-facts.ts';
import type { Facts } from '../facts.ts';
import { preflight } from './preflight.ts';

const checkApt = (apt: Partial<AptFacts>, facts: Partial<Facts> = {}) =>
  checkHost({ apt: aptFacts(apt), ...facts });

test('an obstacle is an error that names the package, its cause and the remedy', () => {
  const problems = checkApt({
    obstacles: [
      { kind: 'absent', name: 'a' },
      { kind: 'version', name: 'b', wanted: '2', available: ['1.1', '1.0'] },
      { kind: 'pinned', name: 'c', file: '/etc/apt/preferences.d/no', priority: -1 },
      { kind: 'held', name: 'd', version: '4' },
      { kind: 'unmet', name: 'e', reason: 'Depends: f', suspects: [{ name: 'f', heldAt: '5' }] },
      { kind: 'unmet', name: 'g', reason: 'Depends: h', suspects: [] },
    ],
  });
  expect(problems.map(({ message, remedy, severity }) => [severity, message, remedy])).toEqual([
    ['error', 'no repository of the host has the package a', expect.stringContaining('apt-get update')],
    ['error', 'no repository of the host has b 2, only 1.1, 1.0', expect.stringContaining('cluster file')],
    [
      'error',
      'apt has no candidate for c: /etc/apt/preferences.d/no pins it to priority -1',
      'Remove the pin of c from /etc/apt/preferences.d/no, or set its priority above 0.',
    ],
    ['error', 'apt would change d, which is held at 4', 'Run: apt-mark unhold d'],
    ['error', "apt can't install e: Depends: f; f is held at 5", 'Run: apt-mark unhold f'],
    ['error', "apt can't install g: Depends: h", expect.stringContaining('apt-get -s install g')],
  ]);
});

test('a locked version that no repository has is an error whose remedy is --update or an older mirror', () => {
  const version = { kind: 'version', name: 'a', wanted: '1', locked: true } as const;
  const [some, none] = [
    { ...version, available: ['2'] },
    { ...version, available: [] },
  ];
  const problems = checkApt({ obstacles: [some, none] });
  expect(problems.map(({ message }) => message)).toEqual([
    'no repository of the host has a 1 of versions.lock, only 2, and no other host has kept the file',
    'no repository of the host has a 1 of versions.lock, and no other host has kept the file',
  ]);
  expect(problems[0]).toMatchObject({ severity: 'error', remedy: expect.stringContaining('--update') });
});

test('a repository without the suite is the error, not the packages that are absent because of it', () => {
  const missingSuites = [{ url: 'http://x/Debian', suite: 'trixie' }];
  expect(render(checkApt({ missingSuites, obstacles: [{ kind: 'absent', name: 'mesos' }] }))).toEqual([
    'h1 error repository: the repository http://x/Debian has no suite trixie',
  ]);
});

test('an absent package is a warning while a repository is unreachable', () => {
  const found = checkApt({ unreachable: ['http://x timed out'], obstacles: [{ kind: 'absent', name: 'a' }] });
  expect(found.map(({ severity, check }) => `${severity} ${check}`)).toEqual([
    'warning repository',
    'warning package',
  ]);
});

test('a failed simulation is not reported beside an interrupted dpkg', () => {
  expect(render(checkApt({ failure: 'broken' }))).toEqual([
    'h1 warning package: apt could not simulate the installation: broken',
  ]);
  const dpkg = { heldBy: '', broken: ['vim'] };
  expect(checkApt({ failure: 'broken' }, { dpkg }).map(({ check }) => check)).toEqual(['dpkg']);
});

test("refuses a removal or downgrade of the owner's packages, unless it is allowed by name", () => {
  const cluster = clusterOf([hostOf('h1', { roles: ['master', 'scheduler', 'agent'] })]);
  const apt = aptFacts({
    changes: [
      {
        name: 'containerd.io',
        action: 'remove',
        from: '1.6',
        conflictsWith: 'runc',
        wantedBy: 'docker.io',
      },
      { name: 'tini', action: 'downgrade', from: '9', to: '1', wantedBy: 'zookeeper' },
      { name: 'libc6', action: 'upgrade', from: '1', to: '2' },
    ],
  });
  const facts = new Map([['h1', bareFacts('10.0.0.1', { apt })]]);
  const refused = preflight({ cluster, facts, payload });
  expect(render(refused)).toEqual([
    'h1 error package: apt would remove containerd.io 1.6, because it conflicts with runc, which docker.io needs',
    'h1 error package: apt would downgrade tini from 9 to 1, because zookeeper needs it',
  ]);
  expect(refused.map(({ remedy }) => remedy)).toEqual([
    'If the host has Docker already, set "source: preinstalled" for Docker. Otherwise allow the change with: --allow-remove containerd.io',
    'Allow it with: --allow-remove tini',
  ]);
  expect(preflight({ cluster, facts, payload, allowRemove: ['tini', 'containerd.io'] })).toEqual([]);
});
