import { describe, expect, test } from 'vitest';
import {
  aptFacts,
  bareFacts,
  bareHosts,
  clusterOf,
  hostOf,
  planInput,
  scripts,
} from '../../test/install/hosts.ts';
import { EMPTY_LOCK, type VersionsLock } from '../cluster/versions-lock.ts';
import type { Facts } from './facts.ts';
import { lockSystem, lockWith, movedVersions, neededFiles, neededPins, pinsFor } from './locked-versions.ts';
import type { Plan, PlanItem } from './plan.ts';
import { planCluster } from './plan-cluster.ts';
import { renderSummary } from './render-summary.ts';
import type { PackageResource } from './resources/package.ts';
import { applyScript } from './script/apply-script.ts';
import { parseTaken } from './script/parse-system.ts';
import { simulationScript } from './script/simulation-script.ts';
import { simulationRequest } from './simulation-request.ts';
import { summarize } from './summary.ts';

const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];
const SYSTEM = 'debian-12-amd64';
const taken = (text: string, changes: Partial<Facts> = {}) => {
  const { mesosup } = bareFacts('10.0.0.1');
  return bareFacts('10.0.0.1', { mesosup: { ...mesosup, taken: parseTaken(text) }, ...changes });
};
const lockOf = (...hosts: Facts[]) =>
  lockWith(EMPTY_LOCK, new Map(hosts.map((host, at) => [`h${at}`, host])));
const versions = (lock: VersionsLock, system = SYSTEM) =>
  [...(lock.systems.get(system) ?? [])].map(([name, one]) => `${name} ${one.version}`).sort();

const cluster = clusterOf([hostOf('h1')]);
const lock = lockOf(
  taken(`docker.io 20.10.24 ${ONE} 100\nrunc 1.1 ${TWO} 100\naventer-mesos 1.11.0-0.7 ${ONE} 100\n`),
);
const planned = (changes: Partial<Facts> = {}, of = cluster) =>
  planCluster({ ...planInput(of, bareHosts(of, changes)), lock });
const packageOf = ({ hosts }: Plan, name: string) =>
  hosts[0]?.items.map(({ resource }) => resource).find((one) => one?.kind === 'package' && one.name === name);

describe('the lock of what hosts took', () => {
  test('has an entry for each package and system, and of two versions the one taken last', () => {
    const trixie = { id: 'debian', version: '13', codename: 'trixie', name: 'Debian' };
    const found = lockOf(
      taken(`a 1 ${ONE} 100\nb 5 ${ONE} 100\n`),
      taken(`a 2 ${TWO} 200\n`),
      taken(`b 4 ${TWO} 99\n`),
      taken(`a 9 ${ONE} 900\n`, { system: trixie }),
    );
    expect(versions(found)).toEqual(['a 2', 'b 5']);
    expect(versions(found, 'debian-13-amd64')).toEqual(['a 9']);
    expect(lockWith(found, new Map())).toEqual(found);
  });

  test('leaves out a package that its owner has changed on every host', () => {
    const first = lockOf(taken(`a 1 ${ONE} 100\nb 1 ${ONE} 100\n`));
    const changed = taken(`a 2 - 0\nb 1 ${ONE} 100\n`);
    expect(versions(lockWith(first, new Map([['h1', changed]])))).toEqual(['b 1']);
    const both = new Map([
      ['h1', changed],
      ['h2', taken(`a 1 ${ONE} 100\n`)],
    ]);
    expect(versions(lockWith(first, both))).toEqual(['a 1', 'b 1']);
    expect(lockWith(first, new Map([['h1', taken('a 2 - 0\nb 2 - 0\n')]])).systems.size).toBe(0);
  });

  test('has a version that is still on a host, even if another one was taken later', () => {
    const first = lockOf(taken(`a 2 ${TWO} 200\n`));
    expect(versions(lockWith(first, new Map([['h1', taken(`a 1 ${ONE} 100\n`)]])))).toEqual(['a 1']);
  });

  test('ignores lines of a host that are not packages', () => {
    const hostile = [`$(id) 1 ${ONE} 1`, `b 1\t2 ${ONE} 1`, 'c 1 short 1', `d 1 ${ONE}`, `e 1 ${ONE} x`, ''];
    expect(lockOf(taken(hostile.join('\n'))).systems.size).toBe(0);
    expect(lockOf(bareFacts('10.0.0.1')).systems.size).toBe(0);
    const system = { id: '../x', version: '1', codename: '', name: '' };
    expect(lockOf(taken(`a 1 ${ONE} 1\n`, { system })).systems.size).toBe(0);
  });

  test('names a system without a version by its code name', () => {
    const system = { id: 'debian', version: '', codename: 'forky', name: '' };
    expect(lockSystem(bareFacts('10.0.0.1', { system, arch: 'arm64' }))).toBe('debian-forky-arm64');
  });
});

describe('a plan with a lock', () => {
  test('installs locked versions on a host that lacks the packages, and pins all others', () => {
    const plan = planned();
    expect(packageOf(plan, 'docker.io')).toMatchObject({ version: '20.10.24' });
    expect(plan.hosts[0]?.items.map(({ title }) => title)).toContain('package docker.io: install 20.10.24');
    expect((packageOf(plan, 'iptables') as PackageResource).version).toBeUndefined();
    expect(plan.hosts[0]?.pins?.map(({ name }) => name)).toEqual(['aventer-mesos', 'docker.io', 'runc']);
  });

  test('leaves packages that are on the host as they are', () => {
    const packages = { 'docker.io': { version: '19.0', status: 'install ok installed' } };
    expect(packageOf(planned({ packages }), 'docker.io')).toBeUndefined();
  });

  test('restarts nothing when the locked packages are installed: digests of services do not depend on it', () => {
    const digests = ({ hosts }: Plan) =>
      hosts[0]?.items.flatMap(({ resource }) => (resource?.kind === 'service' ? [resource.inputs] : []));
    expect(digests(planned())).toEqual(digests(planCluster(planInput(cluster, bareHosts(cluster)))));
  });

  test('lets the spec choose another version, or a file', () => {
    const { mesos } = cluster;
    const newer = clusterOf([hostOf('h1')], { mesos: { ...mesos, version: '1.12' } as typeof mesos });
    const plan = planned({}, newer);
    expect(packageOf(plan, 'aventer-mesos')).toMatchObject({ version: '1.12' });
    expect(plan.hosts[0]?.pins?.map(({ name }) => name)).toEqual(['docker.io', 'runc']);
    const prefix = clusterOf([hostOf('h1')], { mesos: { ...mesos, version: '1.11' } as typeof mesos });
    expect(packageOf(planned({}, prefix), 'aventer-mesos')).toMatchObject({ version: '1.11.0-0.7' });
    const own = { kind: 'package', name: 'runc', file: { upload: '/x.deb' }, sha256: ONE } as const;
    expect(pinsFor(lock, bareFacts('10.0.0.1'), [own]).map(({ name }) => name)).not.toContain('runc');
  });

  test('has no pins for another system, and none if it installs no package', () => {
    expect(planned({ arch: 'arm64' }).hosts[0]?.pins).toBeUndefined();
    const stop = planCluster({ ...planInput(cluster, bareHosts(cluster)), lock, command: 'stop' });
    expect(stop.hosts[0]?.pins).toBeUndefined();
  });

  test('sends the pins to the simulation, which then fetches the lists, and to the run', () => {
    const [host] = planned().hosts;
    if (host === undefined) throw new Error('no plan');
    const request = simulationRequest(host);
    expect(request?.pins).toHaveLength(3);
    const simulated = request ? simulationScript(scripts, request) : '';
    expect(simulated).toContain(`runc 1.1 ${TWO}`);
    expect(simulated).toMatch(/^FRESH=yes$/m);
    const options = { run: 'r', command: 'install', cluster: 'c', who: 'me' } as const;
    expect(applyScript(scripts, { ...host, items: [] }, options)).toContain(`runc 1.1 ${TWO}`);
    const without = { host: 'h1', items: [], basis: '' };
    expect(applyScript(scripts, without, options)).not.toContain(`runc 1.1 ${TWO}`);
  });
});

describe('pins that no repository has', () => {
  const [host] = planned().hosts;
  if (host === undefined) throw new Error('no plan');
  const apt = aptFacts({
    missingPins: ['docker.io', 'runc', 'aventer-mesos'],
    changes: [{ name: 'runc', action: 'install', to: '1.2' }],
  });
  const names = (found: readonly { readonly name: string }[]) => found.map(({ name }) => name);

  test('are needed for packages of the plan, and for dependencies that apt takes', () => {
    expect(names(neededPins(host, apt))).toEqual(['aventer-mesos', 'docker.io', 'runc']);
    expect(names(neededPins(host, { ...apt, changes: [] }))).toEqual(['aventer-mesos', 'docker.io']);
    expect(names(neededPins(host, { ...apt, missingPins: ['runc'] }))).toEqual(['runc']);
    expect(neededPins({ ...host, pins: [] }, apt)).toEqual([]);
    expect(neededPins(host, aptFacts())).toEqual([]);
  });

  test('are all needed if apt could not find out what depends on what', () => {
    const unmet = { kind: 'unmet', name: 'docker.io', reason: 'runc', suspects: [] } as const;
    expect(names(neededPins(host, { ...apt, changes: [], obstacles: [unmet] }))).toContain('runc');
    expect(names(neededPins(host, { ...apt, changes: [], failure: 'broken' }))).toContain('runc');
  });

  test('are supplied as files only in the versions that the plan installs', () => {
    const file = (name: string, version: string) => ({ name, version, sha256: ONE, bytes: 1, control: '' });
    const facts = bareFacts('10.0.0.1', { apt: { ...apt, candidates: { 'docker.io': '20.10.24' } } });
    const files = [
      file('docker.io', '20.10.24'),
      file('runc', '1.1'),
      file('runc', '1.2'),
      file('tini', '1'),
    ];
    expect(neededFiles(files, host, facts)).toEqual([files[0], files[2]]);
    expect(neededFiles(files, host, bareFacts('10.0.0.1'))).toEqual([]);
  });

  test('are supplied also where a library has another name than in the plan', () => {
    const item = (name: string) => ({ ...host.items[0], resource: { kind: 'package', name } }) as PlanItem;
    const libraries = { ...host, items: [item('libapr1')] };
    const file = { name: 'libapr1t64', version: '1.7.5', sha256: ONE, bytes: 1, control: '' };
    const facts = bareFacts('10.0.0.1', { apt: { ...apt, candidates: { libapr1t64: '1.7.5' } } });
    expect(neededFiles([file], libraries, facts)).toEqual([file]);
    const pin = { name: 'libapr1t64', version: '1.7.5', sha256: ONE };
    const missing = { ...apt, changes: [], missingPins: ['libapr1t64'] };
    expect(neededPins({ ...libraries, pins: [pin] }, missing)).toEqual([pin]);
  });
});

describe('the summary of a plan', () => {
  const summaryOf = (isPinned: boolean, apt: Partial<Facts['apt'] & object>) => {
    const facts = bareHosts(cluster, { apt: aptFacts(apt) });
    const plan = planCluster({ ...planInput(cluster, facts), ...(isPinned && { lock }) });
    return summarize({ cluster, plan, facts, starts: false, lock });
  };

  test('lists versions that move, of packages and of their dependencies', () => {
    const summary = summaryOf(false, {
      candidates: { 'docker.io': '26.1', 'aventer-mesos': '1.11.0-0.7' },
      changes: [
        { name: 'runc', action: 'upgrade', from: '1.0', to: '1.2' },
        { name: 'tini', action: 'install', to: '1' },
        { name: 'docker-doc', action: 'remove', from: '1' },
      ],
    });
    expect(summary.moved).toEqual([
      { name: 'docker.io', from: '20.10.24', to: '26.1', host: 'h1' },
      { name: 'runc', from: '1.1', to: '1.2', host: 'h1' },
    ]);
    const text = renderSummary(summary, false).join('\n');
    expect(text).toMatch(/VERSIONS\.LOCK +FROM +TO +HOSTS\ndocker\.io +20\.10\.24 +26\.1 +h1\nrunc/);
    expect(text).not.toContain('as in versions.lock');
  });

  test('names the hosts that get locked versions', () => {
    const summary = summaryOf(true, { candidates: { 'docker.io': '20.10.24' } });
    expect(summary.moved).toEqual([]);
    expect(summary.pinned).toEqual(['h1']);
    expect(renderSummary(summary, false).join('\n')).toContain('Versions: as in versions.lock on h1');
  });

  test('counts the package files that this machine sends', () => {
    const file = { name: 'runc', version: '1.1', sha256: TWO, bytes: 3_000_000, control: '' };
    const facts = bareHosts(cluster);
    const input = planInput(cluster, facts);
    const plan = planCluster({ ...input, lock, files: new Map([['h1', [file]]]) });
    const summary = summarize({ cluster, plan, facts, starts: false, lock });
    expect(summary.files).toEqual([{ host: 'h1', packages: 1, bytes: 3_000_000 }]);
    expect(renderSummary(summary, false).join('\n')).toContain(
      'Files:    1 package with 3 MB from this machine to h1',
    );
  });

  test('lists the payload if it moves', () => {
    const plan = planned();
    const facts = bareHosts(cluster);
    const moved = (version: string) =>
      movedVersions({ ...lock, payload: { version, sha256: ONE } }, plan, facts);
    expect(moved('1.0.0')).toEqual([{ name: 'mesosup', from: '1.0.0', to: '1.2.3', host: 'h1' }]);
    expect(moved('1.2.3')).toEqual([]);
    expect(movedVersions(lock, plan, new Map())).toEqual([]);
  });
});
