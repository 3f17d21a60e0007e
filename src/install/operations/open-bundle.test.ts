import { describe, expect, test } from 'vitest';
import {
  aptFacts,
  bareFacts,
  bareHosts,
  clusterOf,
  hostOf,
  planInput,
  scripts,
} from '../../../test/install/hosts.ts';
import type { BundleManifest } from '../bundle/manifest.ts';
import type { Facts } from '../facts.ts';
import { planCluster } from '../plan-cluster.ts';
import { renderSummary } from '../render-summary.ts';
import { simulationScript } from '../script/simulation-script.ts';
import { simulationRequest } from '../simulation-request.ts';
import { summarize } from '../summary.ts';
import { bundleProblems, keyIn } from './open-bundle.ts';

const SUM = 'a'.repeat(64);
const file = (name: string, version: string) => ({
  name,
  version,
  sha256: SUM,
  bytes: 5,
  control: `Package: ${name}\nVersion: ${version}\n`,
});
const cluster = clusterOf([hostOf('h1')]);
const url = 'https://packages.example/key.asc';
const manifest: BundleManifest = {
  cluster: 'prod',
  payload: { version: '1', sha256: SUM, bytes: 9 },
  systems: { 'debian-12-amd64': [file('docker.io', '20.10.24'), file('mesos', '1.9')] },
  keys: { [url]: Buffer.from('key').toString('base64') },
};
const planned = (changes: Partial<Facts> = {}, of = cluster) =>
  planCluster({ ...planInput(of, bareHosts(of, changes)), bundled: manifest.systems });
const problems = (changes: Partial<Facts> = {}, of: BundleManifest = manifest) =>
  bundleProblems(of, planned(changes), bareHosts(cluster, changes)).map(({ message }) => message);

describe('a plan from a bundle', () => {
  test('takes the versions of the bundle, and no repository, also for the simulation', () => {
    const [host] = planned().hosts;
    expect(host).toMatchObject({ onlyFiles: true, files: [{ name: 'docker.io' }, { name: 'mesos' }] });
    expect(host?.items.map(({ title }) => title)).toContain('package docker.io: install 20.10.24');
    const request = host && simulationRequest(host);
    const script = request ? simulationScript(scripts, request) : '';
    expect(script).toMatch(/^ONLY=yes$/m);
    expect(script).toContain(`Filename: ./${SUM}.deb`);
    expect(script).not.toMatch(/^add_source /m);
  });

  test('says in its summary that the versions are those of the bundle', () => {
    const summary = summarize({ cluster, plan: planned(), facts: bareHosts(cluster), starts: false });
    expect(renderSummary(summary, false).join('\n')).toContain('Versions: as in the bundle on h1');
  });

  test('uses no repository for a system that the bundle lacks either', () => {
    const [host] = planned({ arch: 'arm64' }).hosts;
    expect(host?.onlyFiles).toBe(true);
    expect(host?.files).toBeUndefined();
  });

  test('keeps a version of the spec that the bundle lacks, so that the simulation refuses it', () => {
    const of = (version: string) => clusterOf([hostOf('h1')], { docker: { kind: 'distribution', version } });
    const docker = (version: string) =>
      planned({}, of(version)).hosts[0]?.items.find(({ id }) => id === 'package:docker.io')?.resource;
    expect(docker('26.1')).toMatchObject({ version: '26.1' });
    expect(docker('20.10')).toMatchObject({ version: '20.10.24' });
  });

  test('takes a package file from the bundle only if it has the same SHA-256', () => {
    const from = (sha256: string) =>
      clusterOf([hostOf('h1')], {
        mesos: { kind: 'package', from: { url: 'http://a/mesos_1.9_amd64.deb' }, sha256 },
      });
    const resource = (sha256: string) =>
      planned({}, from(sha256)).hosts[0]?.items.find(({ id }) => id === 'package:mesos')?.resource;
    expect(resource(SUM)).toEqual({ kind: 'package', name: 'mesos', version: '1.9' });
    expect(resource('b'.repeat(64))).toHaveProperty('file');
  });
});

describe('a bundle is refused', () => {
  test('without the system of a host', () => {
    expect(problems({ arch: 'arm64' })).toEqual(['the bundle has no packages for debian-12-arm64']);
  });

  test('without a package, or if apt finds no way to install one', () => {
    const absent = { kind: 'absent', name: 'zookeeper' } as const;
    const unmet = { kind: 'unmet', name: 'runc', reason: 'libc6', suspects: [] } as const;
    const held = { kind: 'held', name: 'vim', version: '1' } as const;
    expect(problems({ apt: aptFacts({ obstacles: [absent, unmet, held] }) })).toEqual([
      'the bundle has no zookeeper for debian-12-amd64 that can be installed',
      'the bundle has no runc for debian-12-amd64 that can be installed',
    ]);
    expect(problems({ apt: aptFacts({ failure: 'no space' }) })).toEqual([
      "apt can't use the bundle: no space",
    ]);
  });

  test('without the key of a repository', () => {
    expect(problems({}, { ...manifest, keys: {} })).toEqual([`the bundle has no key at ${url}`]);
    expect(problems({ apt: aptFacts() })).toEqual([]);
    expect(keyIn(manifest, url).toString()).toBe('key');
    expect(() => keyIn(manifest, 'constructor')).toThrow('the bundle lacks the key at constructor');
  });

  test('and a host that needs no package asks nothing of it', () => {
    const plan = { ...planned(), hosts: [{ host: 'h1', items: [], basis: '' }] };
    expect(bundleProblems(manifest, plan, new Map([['h1', bareFacts('10.0.0.1')]]))).toEqual([]);
    expect(bundleProblems(manifest, planned(), new Map())).toEqual([]);
  });
});
