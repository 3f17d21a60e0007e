/** The fixtures are answers of apt 2.6 on Debian 12, decoded from base64, with the mirror renamed. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { SimulationRequest } from '../simulation-request.ts';
import { parseSimulation } from './parse-simulation.ts';

type Wanted = string | readonly [name: string, version: string];

function parse(fixture: string, ...wanted: readonly Wanted[]) {
  return parseWith(fixture, [], ...wanted);
}

function parseWith(
  fixture: string,
  pins: NonNullable<SimulationRequest['pins']>,
  ...wanted: readonly Wanted[]
) {
  const file = path.resolve(import.meta.dirname, `../../../test/fixtures/apt/${fixture}.json`);
  const members = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string | number>);
  const encoded = members.map(([key, value]) => [
    key,
    typeof value === 'string' ? Buffer.from(value).toString('base64') : value,
  ]);
  const packages = wanted.map((one): SimulationRequest['packages'][number] =>
    typeof one === 'string' ? { name: one } : { name: one[0], version: one[1] },
  );
  return parseSimulation(JSON.stringify(Object.fromEntries(encoded)), { packages, sources: [], pins });
}

test('apt that only adds packages has no obstacles', () => {
  const facts = parse('good', ['aventer-mesos', '1.11'], 'libatomic1');
  const candidates = { 'aventer-mesos': '1.11.0-0.7.2.lab1', libatomic1: '12.2.0-14+deb12u1' };
  const nothing = { obstacles: [], changes: [], missingSuites: [], unreachable: [], failure: '' };
  expect(facts).toEqual({ ...nothing, candidates });
});

test('a library that apt has under another name has a version under that name, and is no change of its own', () => {
  const simulation = Buffer.from('Inst libapr1t64 (1.7.5-1 Debian:13/stable [amd64])\n').toString('base64');
  const { candidates, changes } = parseSimulation(JSON.stringify({ format: 1, simulation }), {
    packages: [{ name: 'libapr1' }],
    sources: [],
  });
  expect(candidates).toEqual({ libapr1t64: '1.7.5-1' });
  expect(changes).toEqual([]);
});

test('a locked version that no repository has is an obstacle, of a package of the plan and of a dependency', () => {
  const pin = (name: string, version: string) => ({ name, version, sha256: 'a'.repeat(64) });
  const pins = [
    pin('aventer-mesos', '1.10.0'),
    pin('libatomic1', '11'),
    pin('tini', '0.18-1'),
    pin('gone', '1'),
  ];
  const found = parseWith('conflict', pins, 'libatomic1', 'docker.io', 'iptables').obstacles;
  const to = parse('conflict', 'libatomic1', 'docker.io', 'iptables').changes.find(
    ({ name }) => name === 'tini',
  )?.to;
  expect(found).toEqual([{ kind: 'version', name: 'tini', wanted: '0.18-1', available: [to], locked: true }]);
  expect(parseWith('conflict', [pin('tini', to ?? '')], 'docker.io').obstacles).toEqual([]);
  const [missing] = parseWith('good', pins, ['aventer-mesos', '1.10.0']).obstacles;
  expect(missing).toMatchObject({ kind: 'version', name: 'aventer-mesos', wanted: '1.10.0', locked: true });
  expect(parseWith('good', [], ['aventer-mesos', '1.10.0']).obstacles[0]).not.toHaveProperty('locked');
  // A locked version is no prefix.
  const prefix = [pin('aventer-mesos', '1.11')];
  expect(parseWith('good', prefix, ['aventer-mesos', '1.11']).obstacles).toMatchObject([{ locked: true }]);
});

test('a removal names the new package it conflicts with, and the wanted package that needs the new one', () => {
  const { changes, obstacles } = parse('conflict', 'libatomic1', 'docker.io', 'iptables');
  expect(obstacles).toEqual([]);
  expect(changes[0]).toEqual({
    name: 'containerd.io',
    from: '1.6.20-1',
    action: 'remove',
    conflictsWith: 'runc',
    wantedBy: 'docker.io',
  });
  expect(changes.slice(1).map(({ name, action, wantedBy }) => [name, action, wantedBy])).toEqual(
    [
      'runc',
      'containerd',
      'libip6tc2',
      'netbase',
      'libnfnetlink0',
      'libnetfilter-conntrack3',
      'libnftnl11',
      'tini',
    ].map((name) => [name, 'install', 'docker.io']),
  );
});

test('a dependency whose new version is lower is a downgrade', () => {
  expect(parse('downgrade', 'iptables').changes.find(({ action }) => action !== 'install')).toEqual({
    name: 'libip6tc2',
    from: '9.1',
    to: '1.8.9-2',
    action: 'downgrade',
    wantedBy: 'iptables',
  });
});

test('a package in no list is absent, and for an unavailable version the others are listed', () => {
  expect(parse('absent', 'nosuch', 'libatomic1', ['docker.io', '24']).obstacles).toEqual([
    { kind: 'absent', name: 'nosuch' },
    { kind: 'version', name: 'docker.io', wanted: '24', available: ['20.10.24+dfsg1-1+deb12u1+b6'] },
  ]);
});

test('an excluded package names the file with the pin', () => {
  expect(parse('pinned', 'libatomic1', 'iptables').obstacles).toEqual([
    { kind: 'pinned', name: 'libatomic1', file: '/etc/apt/preferences.d/nolib', priority: -1 },
  ]);
});

test('an excluded dependency is reported with its file', () => {
  expect(parse('pinned-dependency', 'docker.io').obstacles).toEqual([
    {
      kind: 'unmet',
      name: 'docker.io',
      reason:
        'Depends: containerd (>= 1.4~) but it is not going to be installed, Depends: runc (>= 1.0.0~rc8~) but it is not installable',
      suspects: [{ name: 'runc', file: '/etc/apt/preferences.d/nolib' }],
    },
  ]);
});

test('reports only the held dependency that is too old', () => {
  expect(parse('held-dependency', 'docker.io', 'libatomic1').obstacles).toEqual([
    {
      kind: 'unmet',
      name: 'docker.io',
      reason: 'Depends: runc (>= 1.0.0~rc8~) but 0.9 is to be installed',
      suspects: [{ name: 'runc', heldAt: '0.9' }],
    },
  ]);
});

test('a held package that apt would change is an obstacle', () => {
  expect(parse('held', ['iptables', '1.8'], 'libatomic1').obstacles).toEqual([
    { kind: 'held', name: 'iptables', version: '1.0' },
  ]);
});

test('reports a repository without the suite once, without the resulting failures', () => {
  expect(parse('suite', 'aventer-mesos', 'libatomic1')).toMatchObject({
    missingSuites: [{ url: 'http://mirror.example/mesos/good/Debian', suite: 'trixie' }],
    unreachable: [],
  });
});

test('reports an unreachable repository with the reason', () => {
  expect(parse('unreachable', 'aventer-mesos', 'libatomic1')).toMatchObject({
    missingSuites: [],
    unreachable: ["http://nosuch.invalid/Debian/dists/trixie/InRelease Could not resolve 'nosuch.invalid'"],
  });
});

test('any other error of apt is the failure', () => {
  const simulation =
    'Reading package lists...\nE: Malformed line 1 in source list /etc/apt/sources.list (type)\n';
  const text = JSON.stringify({ format: 1, simulation: Buffer.from(simulation).toString('base64') });
  expect(parseSimulation(text, { packages: [], sources: [] }).failure).toBe(
    'Malformed line 1 in source list /etc/apt/sources.list (type)',
  );
});

test.each(['', '{}', '{"format":1,'])('refuses an incomplete answer: %s', (text) => {
  expect(() => parseSimulation(text, { packages: [], sources: [] })).toThrow(
    /not the answer of a simulation/,
  );
});
