import { describe, expect, test } from 'vitest';
import {
  bareFacts,
  clusterOf,
  directoryFacts,
  fileFacts,
  hostOf,
  planInput,
  serviceFacts,
  sha256,
} from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import { reported } from '../../test/install/recorded-facts.ts';
import type { Cluster, ClusterHost, MesosFlags } from '../cluster/cluster.ts';
import { presentAgentWorkDir } from './agent-change.ts';
import type { Facts } from './facts.ts';
import type { UndoItem } from './item.ts';
import type { HostPlan } from './plan.ts';
import { planCluster } from './plan-cluster.ts';
import { preflight } from './preflight/preflight.ts';
import { mastersNeededToStart } from './quorum.ts';
import { probeTargets } from './targets.ts';
import { uninstallPlan } from './uninstall.ts';
import { waves } from './waves.ts';
import { agentWorkDir, masterWorkDir, replicatedLog } from './work-dirs.ts';

const MASTER = '/data/master';
const AGENT = '/data/agents/one';

function clusterWith(masterFlags: MesosFlags, agentFlags: MesosFlags): Cluster {
  return clusterOf([hostOf('h1', { roles: ['master', 'agent'] })], { masterFlags, agentFlags });
}

const own = clusterWith({ work_dir: MASTER }, { work_dir: AGENT });
const usual = clusterWith({}, {});
const bare = bareFacts('10.0.0.1');

function firstHost({ hosts }: Cluster): ClusterHost {
  const [host] = hosts;
  if (host === undefined) throw new Error('no host');
  return host;
}

function planOf(cluster: Cluster, facts: Facts): HostPlan {
  const [plan] = planCluster(planInput(cluster, new Map([['h1', facts]]), { start: true })).hosts;
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

const installed = (cluster: Cluster, facts: Facts) => applyToFacts(facts, planOf(cluster, facts));

function uninstall(cluster: Cluster, facts: Facts, purge: boolean): readonly UndoItem[] {
  const all = new Map([['h1', facts]]);
  const [plan] = uninstallPlan({ cluster, facts: all, version: '1', purge, sha256 }).hosts;
  return (plan?.items ?? []) as readonly UndoItem[];
}

const about = (items: readonly { title: string }[]) =>
  items.map(({ title }) => title).filter((title) => title.startsWith('/data'));

describe('work directories in the spec', () => {
  test('are created, set as flags, and read by the probe', () => {
    const plan = planOf(own, bare);
    expect(about(plan.items)).toEqual([`${MASTER}/: create`, `${AGENT}/: create`]);
    expect(plan.items.some(({ id }) => /^directory:\/var\/lib\/mesos\/(master|agent)$/.test(id))).toBe(false);
    const { files } = installed(own, bare);
    expect(files['/etc/mesos-master/work_dir']?.text).toBe(`${MASTER}\n`);
    expect(files['/etc/mesos-agent/work_dir']?.text).toBe(`${AGENT}\n`);
    const targets = probeTargets(own, firstHost(own));
    expect(targets.files).toEqual(expect.arrayContaining([MASTER, `${MASTER}/replicated_log`, AGENT]));
    expect(targets.health.agentWorkDir).toBe(AGENT);
  });

  test('that mesosup created are removed only with --purge, together with their created ancestors', () => {
    const facts = installed(own, bare);
    // As the script records it.
    const above = { kind: 'directory', path: '/data/agents', before: 'absent' } as const;
    const { mesosup } = facts;
    const known = { ...facts, mesosup: { ...mesosup, journal: [...mesosup.journal, above] } };
    expect(about(uninstall(own, known, false))).toEqual([]);
    const purged = uninstall(own, known, true);
    expect(about(purged)).toEqual([
      '/data/agents: remove',
      `${AGENT}: remove with its content`,
      `${MASTER}: remove with its content`,
    ]);
    // It is removed only if it is empty.
    expect(purged.find(({ id }) => id === 'directory:/data/agents')).toMatchObject({ action: 'restore' });
  });

  test('that existed before keep their mode, and no uninstall removes them', () => {
    const mounted = {
      ...bare,
      files: { ...bare.files, [AGENT]: directoryFacts({ mode: '0750', owner: 'ann' }) },
    };
    expect(about(planOf(own, mounted).items)).toEqual([`${MASTER}/: create`]);
    const facts = installed(own, mounted);
    expect(about(planOf(own, facts).items)).toEqual([]);
    expect(about(uninstall(own, facts, true))).toEqual([`${MASTER}: remove with its content`]);
    expect(facts.files[AGENT]).toEqual(mounted.files[AGENT]);
  });

  test('that are links are not changed', () => {
    const linked = {
      ...bare,
      files: { ...bare.files, [AGENT]: directoryFacts({ type: 'link', target: '/mnt/x' }) },
    };
    expect(about(planOf(own, linked).items)).toEqual([`${MASTER}/: create`]);
  });

  test('stay with their data when the role is removed', () => {
    const facts = installed(own, bare);
    const gone = { ...own, hosts: [hostOf('h1', { roles: ['master'] })] };
    expect(about(planOf(gone, facts).items)).toEqual([]);
  });
});

test('a directory that was removed from the spec stays with its content', () => {
  const moved = clusterWith({ work_dir: MASTER }, { work_dir: '/data/other' });
  const facts = reported(installed(own, bare), probeTargets(moved, firstHost(moved)));
  expect(about(planOf(moved, facts).items)).toEqual(['/data/other/: create']);
  const left = uninstall(moved, installed(moved, facts), true).find(({ id }) => id === `directory:${AGENT}`);
  // The script removes a directory only if it is empty.
  expect(left).toMatchObject({ action: 'restore', title: `${AGENT}: remove` });
  expect(left).not.toHaveProperty('whole');
});

test('an agent whose directory changes is drained first, although the probe no longer reads its id', () => {
  const found = installed(usual, bare);
  const facts = { ...found, agent: { ...found.agent, id: '', tasks: 2 } };
  const host = firstHost(own);
  expect(planOf(own, facts).items.find(({ action }) => action === 'replace-agent')).toMatchObject({
    endsTasks: 2,
    reason: 'because the work_dir changes',
  });
  // The old directory contains its id and its tasks.
  expect(presentAgentWorkDir(own, host, facts)).toBe('/var/lib/mesos/agent');
  expect(presentAgentWorkDir(own, host, bare)).toBe(AGENT);
  const after = installed(own, facts);
  expect(presentAgentWorkDir(own, host, after)).toBe(AGENT);
  expect(planOf(own, after).items).toEqual([]);
});

test("looks for a master's log in the directory of the spec", () => {
  const three = clusterOf(
    ['h1', 'h2', 'h3'].map((name) => hostOf(name, { roles: ['zookeeper', 'master'] })),
    { masterFlags: { work_dir: MASTER } },
  );
  const master = (log: string): Facts => ({
    ...bare,
    files: { '/etc/mesos-master/work_dir': fileFacts(`${MASTER}\n`), [log]: directoryFacts() },
  });
  const awaited = (log: string) => mastersNeededToStart(three, new Map([['h1', master(log)]]), ['h1']);
  expect(awaited(`${MASTER}/replicated_log`)).toBeUndefined();
  expect(awaited('/var/lib/mesos/master/replicated_log')).toBe(3);

  const step = (host: string, action: 'start' | 'restart'): HostPlan => ({
    host,
    items: [{ id: 'service:mesos-master', action, title: '', diff: [] }],
    basis: '',
  });
  const elected = { ...bare.master, answers: true, elected: true };
  const running = { services: { 'mesos-master': serviceFacts() }, master: elected };
  const facts = new Map([
    ['h1', bare],
    ['h2', { ...master(`${MASTER}/replicated_log`), ...running }],
  ]);
  const hosts = [step('h1', 'start'), step('h2', 'restart')];
  const plan = { format: 1, command: 'install', cluster: 'prod', version: '1', hosts } as const;
  expect(waves(three, plan, facts).map((wave) => wave.hosts)).toEqual([['h2'], ['h1']]);
  facts.set('h1', master(`${MASTER}/replicated_log`));
  expect(waves(three, plan, facts).map((wave) => wave.hosts)).toEqual([['h1'], ['h2']]);
});

test.each([
  [{ work_dir: '/a//b/./' }, {}, '/a/b'],
  [{ work_dir: '/a' }, { work_dir: '/b' }, '/b'],
  [{ work_dir: 'a' }, {}, '/var/lib/mesos/agent'],
  [{ work_dir: '/a/../etc' }, {}, '/var/lib/mesos/agent'],
  [{ work_dir: 'file:///a' }, {}, '/var/lib/mesos/agent'],
  [{ work_dir: '/' }, {}, '/var/lib/mesos/agent'],
])("flags %j and the host's %j give %s", (common, host, expected) => {
  expect(agentWorkDir({ agentFlags: common }, { agentFlags: host })).toBe(expected);
  expect(masterWorkDir({ masterFlags: common }, { masterFlags: host })).toBe(
    expected.replace(/agent$/, 'master'),
  );
});

test('the log is in the work directory of the host', () => {
  const host = hostOf('h1', { masterFlags: { work_dir: '/b' } });
  expect(replicatedLog(own, host)).toBe('/b/replicated_log');
});

test('preflight refuses a path that is not absolute', () => {
  const check = (flags: MesosFlags) =>
    preflight({
      cluster: clusterWith({}, flags),
      facts: new Map([['h1', bare]]),
      payload: { bytes: 1 },
    }).filter((problem) => problem.check === 'flags');
  expect(check({ work_dir: 'data/mesos' })).toMatchObject([
    { severity: 'error', message: 'agentFlags.work_dir: "data/mesos" is not an absolute path' },
  ]);
  expect(check({ work_dir: '/data/mesos' })).toEqual([]);
});
