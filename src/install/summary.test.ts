import { expect, test } from 'vitest';
import { aptFacts, bareHosts, clusterOf, hostOf, planInput } from '../../test/install/hosts.ts';
import type { AptChange } from './apt-facts.ts';
import type { Facts } from './facts.ts';
import type { Plan, PlanItem } from './plan.ts';
import { planCluster } from './plan-cluster.ts';
import { renderSummary } from './render-summary.ts';
import { summarize } from './summary.ts';

const names = ['h1', 'h2', 'h3'];
const cluster = clusterOf(names.map((name) => hostOf(name)));
const change = (name: string, action: AptChange['action']): AptChange => ({ name, action, to: '1' });

function installOn(apt: Partial<Facts['apt'] & object>, starts = true) {
  const facts = bareHosts(cluster, { apt: aptFacts(apt) });
  const plan = planCluster({ ...planInput(cluster, facts), command: 'install', start: starts });
  return summarize({ cluster, plan, facts, payloadBytes: 41_234_567, starts });
}

const planOf = (items: PlanItem[], command: Plan['command'] = 'install'): Plan => ({
  format: 1,
  command,
  cluster: 'c',
  version: '1',
  hosts: [
    { host: 'h1', basis: '', items },
    { host: 'h2', basis: '', items: [] },
  ],
});
const item = (id: string, action: PlanItem['action'], more: Partial<PlanItem> = {}): PlanItem => ({
  id,
  action,
  title: `${id}: ${action}`,
  diff: [],
  ...more,
});
const summaryOf = (plan: Plan) =>
  summarize({ cluster, plan, facts: bareHosts(cluster), payloadBytes: undefined, starts: false });

test('counts the packages of the plan and their dependencies, and the bytes of all hosts', () => {
  const none = installOn({ downloadBytes: 100_000_000 });
  const more = installOn({
    changes: [change('a', 'install'), change('b', 'upgrade'), change('c', 'downgrade')],
    downloadBytes: 100_000_000,
  });
  expect(more.downloadBytes).toBe(300_000_000);
  expect(more.packages.install - none.packages.install).toBe(3);
  expect(more.packages.upgrade - none.packages.upgrade).toBe(6);
  expect(more.seconds).toBeGreaterThan(none.seconds);
  expect(more.copy).toEqual({ bytes: 41_234_567, hosts: names });
});

test('invents no size and says so where apt did not report one', () => {
  const summary = installOn({});
  expect(summary).toMatchObject({ downloadBytes: 0, isDownloadKnown: false });
  const text = renderSummary(summary, false).join('\n');
  expect(text).toContain('; the size of the download is not known');
  expect(text).toContain(', without downloads of unknown size');
  const some = installOn({ downloadBytes: 1e8, obstacles: [{ kind: 'absent', name: 'x' }] });
  expect(renderSummary(some, false).join('\n')).toContain('; at least 300 MB to download');
});

test('fits 60 columns with addresses and roles', () => {
  const lines = renderSummary(installOn({ downloadBytes: 250_000_000 }), false);
  expect(lines.slice(0, 5)).toEqual([
    expect.stringMatching(/^HOST {2}ADDRESS +CHANGES {2}ROLES$/),
    expect.stringMatching(/^h1 +10\.[\d.]+ +\d+ +zookeeper, master, scheduler, agent$/),
    expect.stringMatching(/^h2/),
    expect.stringMatching(/^h3/),
    '',
  ]);
  expect(Math.max(...lines.slice(0, 5).map((line) => line.length))).toBeLessThanOrEqual(60);
  const text = lines.join('\n');
  expect(text).toMatch(/^Packages: \d+ to install on all hosts together; 750 MB to download$/m);
  expect(text).toMatch(/^Copied: {3}41 MB from this machine to h1, h2, h3$/m);
  expect(text).toMatch(/^Time: {5}about \d min if each host downloads 10 MB\/s$/m);
});

test('names services that restart and stop, and tasks that end', () => {
  const summary = summaryOf(
    planOf([
      item('service:mesos-master', 'restart'),
      item('service:zookeeper', 'stop'),
      item('service:mesos-agent', 'replace-agent', { endsTasks: 2 }),
      item('service:mesos-agent', 'start'),
    ]),
  );
  expect(renderSummary(summary, false).join('\n')).toBe(
    `HOST  CHANGES  ROLES
h1    4        zookeeper, master, scheduler, agent

Time:     less than a minute
Restarts: mesos-master on h1
Stops:    zookeeper on h1
Tasks:    h1: replaces the agent: 2 tasks end`,
  );
});

test('says that the number of ending tasks is unknown, and nothing about agents without tasks', () => {
  const ending = (endsTasks: number | null) =>
    renderSummary(summaryOf(planOf([item('service:mesos-agent', 'remove', { endsTasks })])), false).join(
      '\n',
    );
  expect(ending(null)).toContain('h1: stops the agent: its tasks end (their number is unknown)');
  expect(ending(1)).toContain('h1: stops the agent: 1 task ends');
  expect(ending(0)).not.toContain('Tasks:');
});

test("names what happens to packages of the hosts' owner, and repairs", () => {
  const text = renderSummary(
    summaryOf(
      planOf([
        item('dpkg', 'repair', { title: 'dpkg: complete an interrupted run' }),
        item('package:runc', 'remove', { byApt: true, title: 'package runc: remove 1', reason: 'because x' }),
        item('package:docker.io', 'install'),
      ]),
    ),
    false,
  ).join('\n');
  expect(text).toContain('Also:     dpkg: complete an interrupted run (h1)');
  expect(text).toContain('Also:     package runc: remove 1 because x (h1)');
  expect(text).toContain('Packages: 1 to install');
});

test('a plan without changes has no summary', () => {
  expect(renderSummary(summaryOf(planOf([])), true)).toEqual([]);
});

test('says why a new cluster gets no TLS', () => {
  const facts = bareHosts(cluster);
  const plan = planCluster({ ...planInput(cluster, facts), command: 'install', start: true });
  const lines = (plainText?: string) =>
    renderSummary(summarize({ cluster, plan, facts, starts: true, plainText }), false);
  expect(lines('it has none. Get it.')).toContain('TLS:      none: it has none. Get it.');
  expect(lines().join('\n')).not.toContain('TLS');
});
