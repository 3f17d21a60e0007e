import { expect, test } from 'vitest';
import { bareFacts, bareHosts, clusterOf, hostOf, payload, REPOSITORY } from '../../../test/install/hosts.ts';
import { checkHost, render } from '../../../test/install/preflight.ts';
import { mesosLayout } from '../layout.ts';
import { explainMissingFlag } from '../mesos-flag-names.ts';
import { agentFlags, masterFlags } from '../mesos-flags.ts';
import { topologyOf } from '../topology.ts';
import { preflight } from './preflight.ts';

test('reports an unknown flag of Mesos once for all hosts, with a suggestion', () => {
  const cluster = clusterOf(
    [hostOf('h1'), hostOf('h2', { agentFlags: { 'no-switch_usr': '', logger: '' } }), hostOf('h3')],
    {
      masterFlags: { max_agent_ping_timeout: '6', 'no-logger': '', slave_ping_timeout: '5secs' },
      agentFlags: { gc_delay: '2days', quorum: '1' },
    },
  );
  const problems = preflight({ cluster, facts: bareHosts(cluster), payload });
  expect(render(problems)).toEqual([
    'h1 warning flags: masterFlags.max_agent_ping_timeout: the Mesos master has no such flag; did you mean "max_agent_ping_timeouts"?',
    'h1 warning flags: agentFlags.quorum: the Mesos agent has no such flag',
    'h2 warning flags: agentFlags.no-switch_usr: the Mesos agent has no such flag; did you mean "no-switch_user"?',
  ]);
});

test("reports a flag that is newer than the host's Mesos, if its version is known", () => {
  const changes = { agentFlags: { docker_ignore_runtime: '', xfs_kill_containers: '' } };
  const mesos = (version: string) => ({
    mesos: { kind: 'clusterd', version, repository: REPOSITORY } as const,
  });
  expect(render(checkHost({}, { ...changes, ...mesos('1.8.1') }))).toEqual([
    'h1 warning flags: agentFlags.docker_ignore_runtime: the Mesos agent has this flag since 1.9, and this is 1.8.1',
  ]);
  expect(render(checkHost({}, { ...changes, ...mesos('1.11.0-0.9.0') }))).toEqual([]);
  expect(render(checkHost({}, changes))).toEqual([]);
});

test('Mesos has all flags that the installer sets', () => {
  const cluster = clusterOf([hostOf('h1'), hostOf('h2'), hostOf('h3')]);
  const facts = bareHosts(cluster);
  const own = facts.get('h1') ?? bareFacts('10.0.0.1');
  const host = cluster.hosts[0] ?? hostOf('h1');
  const topology = topologyOf(cluster, facts);
  const input = {
    cluster,
    host,
    facts: own,
    topology,
    layout: mesosLayout(cluster, own),
    address: '10.0.0.1',
  };
  const unknown = [
    ...[...masterFlags(input).keys()].map((name) => explainMissingFlag('master', name, '1.11.0')),
    ...[...agentFlags(input).keys()].map((name) => explainMissingFlag('agent', name, '1.11.0')),
  ];
  expect(unknown.filter((reason) => reason !== undefined)).toEqual([]);
});

test('reports invalid flags of the scheduler in a cluster that an older version stored', () => {
  const changes = { schedulerFlags: { failover_timeot: '3', http_port: '9000' } };
  expect(render(checkHost({}, changes))).toEqual([
    'h1 warning flags: schedulerFlags.failover_timeot: unknown flag; did you mean "failover_timeout"?',
    "h1 warning flags: schedulerFlags.http_port: can't be set here: mesosup sets it: use ports.scheduler instead",
  ]);
});
