import { expect, test } from 'vitest';
import {
  bareFacts,
  clusterOf,
  directoryFacts,
  fileFacts,
  hostOf,
  planInput,
  serviceFacts,
} from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { Facts } from './facts.ts';
import type { ServiceFacts } from './host-facts.ts';
import type { HostPlan, PlanItem } from './plan.ts';
import { type PlanInput, planCluster } from './plan-cluster.ts';

const alone: Partial<ClusterHost> = { roles: ['master', 'scheduler', 'agent'] };

function planOf(cluster: Cluster, facts: Facts, changes: Partial<PlanInput> = {}): HostPlan {
  const [plan] = planCluster(planInput(cluster, new Map([['h1', facts]]), changes)).hosts;
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

const cluster = clusterOf([hostOf('h1', alone)]);
const bare = bareFacts('10.0.0.1');
const running = applyToFacts(bare, planOf(cluster, bare, { start: true }));

const lines = ({ items }: HostPlan) => items.map(({ action, id }) => `${action} ${id}`);

function withFile(facts: Facts, path: string, changes: Partial<Facts['files'][string]>): Facts {
  const found = facts.files[path] ?? directoryFacts();
  return { ...facts, files: { ...facts.files, [path]: { ...found, ...changes } } };
}

function withService(facts: Facts, name: string, changes: Partial<ServiceFacts>): Facts {
  const found = facts.services[name] ?? serviceFacts();
  return { ...facts, services: { ...facts.services, [name]: { ...found, ...changes } } };
}

test('an install without a start starts and enables only Docker', () => {
  const services = planOf(cluster, bare).items.filter(({ id }) => id.startsWith('service:'));
  expect(services.map(({ title }) => title)).toEqual([
    'service docker: enable and start',
    'service mesos-master: disable',
    'service mesos-agent: disable',
  ]);
});

test('starts a service that was stopped manually, and changes nothing else', () => {
  const facts = withService(running, 'mesos-master', { state: 'stopped' });
  expect(planOf(cluster, facts).items).toMatchObject([
    { action: 'start', title: 'service mesos-master: start', diff: [] },
  ]);
});

test('enables and starts a service that was also disabled manually', () => {
  const facts = withService(running, 'mesos-master', { state: 'stopped', enabled: 'disabled' });
  expect(planOf(cluster, facts).items.map(({ title }) => title)).toEqual([
    'service mesos-master: enable and start',
  ]);
});

test('starts a failed service again, and gives the reason', () => {
  const facts = withService(running, 'mesosup-scheduler', { state: 'failed' });
  expect(planOf(cluster, facts).items).toMatchObject([{ action: 'start', reason: 'because it failed' }]);
});

test('shows the lines of a file that was edited manually, and restarts its service', () => {
  const path = '/etc/mesos-agent/containerizers';
  const facts = withFile(running, path, { sha256: 'other', text: 'docker,mesos\n' });
  expect(planOf(cluster, facts).items).toMatchObject([
    { action: 'change', title: `${path}: change`, diff: ['-docker,mesos', '+mesos'] },
    { action: 'restart', id: 'service:mesos-agent', reason: `because ${path} changes` },
  ]);
});

test('restricts a secret file that other users may read, without showing its content', () => {
  const path = '/etc/mesosup/agent-credential';
  const facts = withFile(running, path, { mode: '0644', text: 'its text' });
  const [item, ...rest] = planOf(cluster, facts).items;
  expect(item?.diff).toEqual(['-mode 0644 root:root', '+mode 0600 root:root']);
  expect(rest).toMatchObject([{ action: 'restart', id: 'service:mesos-agent' }]);
});

test('removes a stray file among the flags, and restarts its service', () => {
  const facts = withFile(running, '/etc/mesos-agent/ip.bak', fileFacts('1.2.3.4\n'));
  const plan = planOf(cluster, facts);
  expect(plan.items).toMatchObject([
    {
      action: 'change',
      title: '/etc/mesos-agent/: remove files that would be read as flags',
      diff: ['-/etc/mesos-agent/ip.bak'],
    },
    { action: 'restart', id: 'service:mesos-agent' },
  ]);
  // The file was not mesosup's, but must not be restored.
  expect(lines(planOf(cluster, applyToFacts(facts, plan)))).toEqual([]);
  const harmless = withFile(running, '/etc/mesos-agent/ip.dpkg-dist', fileFacts('1.2.3.4\n'));
  expect(lines(planOf(cluster, harmless))).toEqual([]);
});

test('removes a flag that was removed from the spec, and restarts its service', () => {
  const more = { ...cluster, agentFlags: { gc_delay: '1days' } };
  const facts = applyToFacts(running, planOf(more, running));
  expect(planOf(cluster, facts).items).toMatchObject([
    { action: 'remove', id: 'file:/etc/mesos-agent/gc_delay', reason: 'because it is no longer needed' },
    { action: 'restart', id: 'service:mesos-agent' },
  ]);
});

test('reloads units that changed since the init system read them, and restarts nothing', () => {
  const facts = withService(running, 'mesos-master', { needsReload: true });
  expect(planOf(cluster, facts).items).toMatchObject([{ action: 'reload', id: 'service:mesos-master' }]);
});

test('restarts a service that was last started with other files, even if the files are correct now', () => {
  const facts = withService(running, 'mesos-master', { inputs: 'older' });
  expect(planOf(cluster, facts).items).toMatchObject([
    { action: 'restart', reason: 'because it was last started with other files' },
  ]);
});

test('another version of the payload restarts the scheduler, but no agent', () => {
  const next = { version: '1.2.4', sha256: 'ef'.repeat(32), bytes: 41_000_000 };
  expect(lines(planOf(cluster, running, { payload: next }))).toEqual([
    'create payload:1.2.4',
    'change link:/opt/mesosup/current',
    'restart service:mesosup-scheduler',
  ]);
});

test('completes an interrupted dpkg run first, if the plan depends on packages', () => {
  const broken = (facts: Facts, name: string): Facts => ({
    ...facts,
    dpkg: { heldBy: '', broken: [name] },
  });
  expect(lines(planOf(cluster, broken(bare, 'vim')))[0]).toBe('repair dpkg');
  expect(lines(planOf(cluster, broken(running, 'vim')))).toEqual([]);
  expect(lines(planOf(cluster, broken(running, 'docker.io')))).toEqual(['repair dpkg']);
});

test('installs a half-installed package again, and upgrades to another version', () => {
  const package_ = (status: string, version: string): Facts => ({
    ...running,
    packages: { ...running.packages, 'aventer-mesos': { status, version } },
  });
  const pinned: Cluster = {
    ...cluster,
    mesos: { kind: 'package', from: { file: '/x/aventer-mesos_1.12.0_amd64.deb' }, sha256: 'cd'.repeat(32) },
  };
  const items = planOf(pinned, package_('install ok installed', '1.11.0')).items;
  const upgrade = items.find(({ id }) => id === 'package:aventer-mesos');
  expect(upgrade).toMatchObject({
    action: 'upgrade',
    title: 'package aventer-mesos: 1.11.0 → 1.12.0',
    diff: ['-1.11.0', '+1.12.0', '+from /x/aventer-mesos_1.12.0_amd64.deb'],
  });
  const half = planOf(pinned, package_('install ok half-configured', '1.12.0'));
  expect(lines(half)).toContain('install package:aventer-mesos');
  expect(lines(half).filter((one) => one.startsWith('restart'))).toEqual([
    'restart service:mesos-master',
    'restart service:mesos-agent',
  ]);
});

test('stops a removed role, and removes its files but not its data', () => {
  const fewer = clusterOf([hostOf('h1', { roles: ['master', 'agent'] })]);
  const plan = planOf(fewer, running);
  expect(lines(plan)).toContain('restore service:mesosup-scheduler');
  expect(lines(plan)).toContain('remove file:/etc/systemd/system/mesosup-scheduler.service');
  expect(lines(plan).some((one) => one.includes('/var/lib/mesosup/scheduler'))).toBe(false);
  const without = clusterOf([hostOf('h1', { roles: ['scheduler', 'agent'] }), hostOf('h2')]);
  const facts = new Map([
    ['h1', running],
    ['h2', bareFacts('10.0.0.2')],
  ]);
  const masked = planCluster(planInput(without, facts)).hosts[0]?.items.find(
    ({ id }) => id === 'service:mesos-master',
  );
  expect(masked).toMatchObject({ title: 'service mesos-master: stop and mask', reason: expect.any(String) });
});

test('drains the agent of a removed role first, and counts its tasks', () => {
  const masterOnly = clusterOf([hostOf('h1', { roles: ['master', 'scheduler'] })]);
  const busy = { ...running, agent: { ...running.agent, id: 'a-S0', tasks: 2 } };
  const plan = planOf(masterOnly, busy);
  const at = plan.items.findIndex(({ id }) => id === 'service:mesos-agent');
  expect(plan.items[at]).toMatchObject({
    action: 'disable',
    title: 'service mesos-agent: drain, stop and mask',
    endsTasks: 2,
  });
  // Docker is removed, too, but tasks can end properly only while it runs.
  expect(lines(plan)[at + 1]).toBe('restore service:docker');
  // If no agent ever ran, no tasks end.
  const idle = { ...running, agent: { ...running.agent, id: '' } };
  const quiet = planOf(masterOnly, idle).items.find(({ id }) => id === 'service:mesos-agent');
  expect(quiet).not.toHaveProperty('endsTasks');
});

test('restores a file that existed before mesosup when it is no longer wanted', () => {
  const legacy = clusterOf([hostOf('h1', { roles: ['master'] })]);
  const own = withFile(bare, '/etc/default/mesos-master', fileFacts('LOGS=/var/log\n'));
  const facts = applyToFacts(own, planOf(legacy, own));
  const gone = clusterOf([hostOf('h1', { roles: ['scheduler'] }), hostOf('h2', { roles: ['master'] })]);
  const both = new Map([
    ['h1', facts],
    ['h2', bareFacts('10.0.0.2')],
  ]);
  const items = planCluster(planInput(gone, both)).hosts[0]?.items ?? [];
  expect(items.find(({ id }) => id === 'file:/etc/default/mesos-master')).toMatchObject({
    action: 'restore',
  });
});

test('keeps settings of Docker that mesosup does not set', () => {
  const mirrors = { 'registry-mirrors': ['https://m'], 'live-restore': false };
  const path = '/etc/docker/daemon.json';
  const change = (facts: Facts): PlanItem | undefined =>
    planOf(cluster, facts).items.find(({ id }) => id === `file:${path}`);
  const before = withFile(bare, path, fileFacts(JSON.stringify(mirrors)));
  const item = change(before);
  const content = item?.resource?.kind === 'file' ? JSON.parse(item.resource.content) : undefined;
  expect(content).toMatchObject({ ...mirrors, 'log-driver': 'json-file' });
  const after = applyToFacts(before, planOf(cluster, before));
  expect(lines(planOf(cluster, after))).toEqual([]);
  const driver = withFile(bare, path, fileFacts('{"log-driver":"local","live-restore":true}'));
  expect(change(driver)).toBeUndefined();
  const closed = withFile(bare, path, { type: 'file', mode: '0600', sha256: 'x' });
  expect(change(closed)).toBeUndefined();
});

test('adds a login user with sudo to the group docker', () => {
  const ssh = clusterOf([hostOf('h1', { ...alone, connection: { kind: 'ssh', user: 'ann' } })]);
  const facts = { ...bare, users: { ann: { uid: 1000, groups: ['ann', 'sudo'] } } };
  expect(planOf(ssh, facts).items.find(({ id }) => id === 'user:ann')).toMatchObject({
    action: 'change',
    title: 'user ann: add to docker',
    diff: ['+group docker'],
  });
});

test('does not add a repository if the package is installed from another one', () => {
  const installed: Facts = {
    ...bare,
    packages: { 'aventer-mesos': { version: '1.11.0-0.9.0', status: 'install ok installed' } },
  };
  expect(lines(planOf(cluster, installed)).some((one) => one.includes('sources.list.d'))).toBe(false);
  expect(lines(planOf(cluster, bare)).some((one) => one.includes('sources.list.d/mesosup-mesos'))).toBe(true);
});

test('the basis depends only on the facts behind the plan', () => {
  const basis = (facts: Facts) => planOf(cluster, facts).basis;
  const same: Facts = {
    ...withService(running, 'docker', { pid: 4711, restarts: 2 }),
    clock: { now: 1, offsetMs: 300 },
    memoryBytes: 1,
    diskFreeBytes: {},
    dpkg: { heldBy: 'apt (7)', broken: [] },
    listeners: [{ port: 5050, program: 'mesos-master' }],
    agent: { ...running.agent, answers: true, tasks: 9 },
  };
  expect(basis(same)).toBe(basis(running));
  expect(basis({ ...running, files: Object.fromEntries(Object.entries(running.files).toReversed()) })).toBe(
    basis(running),
  );
  expect(basis(withService(running, 'docker', { state: 'stopped' }))).not.toBe(basis(running));
  expect(basis(withFile(running, '/etc/mesosup/master', { sha256: 'x' }))).not.toBe(basis(running));
});

test('makes no plan for an unreachable host', () => {
  const two = clusterOf([hostOf('h1', alone), hostOf('h2', { roles: ['agent'] })]);
  const plan = planCluster(planInput(two, new Map([['h1', running]])));
  expect(plan.hosts.map(({ host }) => host)).toEqual(['h1']);
});
