import { describe, expect, test } from 'vitest';
import { bareFacts, directoryFacts, fileFacts, serviceFacts } from '../../../test/install/hosts.ts';
import { checkHost, installedPackage, mesosFile, render } from '../../../test/install/preflight.ts';
import type { Cluster, MesosSource } from '../../cluster/cluster.ts';
import type { Problem } from '../plan.ts';

test('refuses a host of another cluster', () => {
  const mesosup = { ...bareFacts('x').mesosup, cluster: 'other' };
  expect(render(checkHost({ mesosup }))).toEqual([
    'h1 error cluster: the host belongs to the cluster "other"',
  ]);
  expect(checkHost({ mesosup: { ...mesosup, cluster: 'prod' } })).toEqual([]);
});

test('warns of a dpkg that is in use or was interrupted', () => {
  expect(render(checkHost({ dpkg: { heldBy: 'unattended-upgr (812)', broken: [] } }))).toEqual([
    'h1 warning dpkg: dpkg is in use by unattended-upgr (812)',
  ]);
  expect(render(checkHost({ dpkg: { heldBy: '', broken: ['vim'] } }))).toEqual([
    'h1 warning dpkg: dpkg was interrupted: vim',
  ]);
});

test('refuses a preinstalled Mesos or Docker that is not installed', () => {
  const preinstalled: Partial<Cluster> = {
    mesos: { kind: 'preinstalled' },
    docker: { kind: 'preinstalled' },
  };
  expect(checkHost({}, preinstalled).map(({ check }) => check)).toEqual(['mesos', 'docker']);
  const files = { '/usr/local/sbin/mesos-agent': { ...directoryFacts(), type: 'file' as const } };
  expect(checkHost({ files, docker: { version: '27', running: true } }, preinstalled)).toEqual([]);
  const services = { docker: serviceFacts({ state: 'stopped' }) };
  const wrapper = { '/usr/bin/mesos-init-wrapper': { ...directoryFacts(), type: 'file' as const } };
  expect(checkHost({ files: wrapper, services }, preinstalled)).toEqual([]);
});

test('refuses a Mesos that is too old, is held, or comes from a file without a package name', () => {
  const old: MesosSource = { ...mesosFile, from: { file: '/x/mesos_1.4.1_amd64.deb' } };
  expect(checkHost({}, { mesos: old })[0]?.message).toMatch(/^Mesos 1.4.1 is too old/);
  const held = { 'aventer-mesos': installedPackage('1.10.0', 'hold ok installed') };
  expect(render(checkHost({ packages: held }, { mesos: mesosFile }))).toEqual([
    'h1 error package: the package aventer-mesos is held at 1.10.0, but the cluster file sets 1.11.0',
  ]);
  const unnamed: MesosSource = { ...mesosFile, from: { url: 'https://x/download?id=7' } };
  expect(checkHost({}, { mesos: unnamed })[0]?.check).toBe('package');
});

test('refuses Docker from another source, and warns of a daemon.json that is not valid JSON', () => {
  const packages = { 'docker-ce': installedPackage('5:27.0') };
  expect(render(checkHost({ packages }))).toEqual([
    'h1 error docker: docker-ce 5:27.0 is installed and conflicts with Docker from the source distribution',
  ]);
  const files = { '/etc/docker/daemon.json': fileFacts('{') };
  expect(checkHost({ files }).map(({ check, severity }) => `${severity} ${check}`)).toEqual([
    'warning docker',
  ]);
});

describe('Docker in other forms', () => {
  const forms = ['snap', 'static', 'rootless', 'desktop'] as const;
  const otherDockers = forms.map((form) => ({ form, path: `/x/${form}` }));
  const packages = { 'podman-docker': installedPackage('4.3') };
  const severities = (problems: readonly Problem[]) =>
    problems.map(({ severity, message }) => `${severity} ${/\(([^)]*)\)/.exec(message)?.[1]}`);

  test('is reported with its path and prevents an install, except for rootless Docker', () => {
    expect(severities(checkHost({ otherDockers, packages }))).toEqual([
      'error /x/snap',
      'error /x/static',
      'warning /x/rootless',
      'error /x/desktop',
      'error package podman-docker 4.3',
    ]);
  });

  test('is a warning as preinstalled Docker where the executor can not use it', () => {
    const docker = { version: '27', running: true };
    const preinstalled: Partial<Cluster> = { docker: { kind: 'preinstalled' } };
    expect(severities(checkHost({ otherDockers, packages, docker }, preinstalled))).toEqual([
      'warning /x/snap',
      'warning /x/rootless',
      'warning /x/desktop',
      'warning package podman-docker 4.3',
    ]);
  });

  test('is no problem on a host without the role agent', () => {
    expect(checkHost({ otherDockers, packages }, {}, { roles: ['master'] })).toEqual([]);
  });
});
