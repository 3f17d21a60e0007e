/** Faults of services: ones that are down, ones that run and don't work, and ones that answer anyone. */

import { expect, test } from 'vitest';
import { inExamination, inFacts, service, withFault } from '../../../test/install/faults.ts';
import { fileFacts } from '../../../test/install/hosts.ts';
import type { Facts } from '../facts.ts';
import { ZOO_CFG } from '../topology.ts';
import type { Examination } from './examination.ts';

test('names the cause of a stopped service from its log, and says nothing more of its role', () => {
  const down = (own: Facts) => ({
    ...service('mesos-agent', { state: 'failed' })(own),
    agent: { ...own.agent, answers: false, registered: false },
  });
  expect(inFacts(down)).toEqual([
    'h2 error service (fix) the service mesos-agent (the Mesos agent) has failed',
  ]);
  const cause = "Failed to load unknown flag 'colour' via environment variable";
  const log = { 'mesos-agent': [cause, ...Array.from({ length: 9 }, (_, i) => `Unit process ${i} remains`)] };
  expect(withFault(down, () => ({ logs: log }))).toEqual([
    'h2 error service the service mesos-agent (the Mesos agent) has failed: it does not know a flag that it was given',
  ]);
  expect(inFacts(service('zookeeper', { state: 'stopped' }))).toEqual([
    'h2 error service (fix) the service zookeeper (ZooKeeper) is stopped',
  ]);
  expect(inFacts(service('mesos-master', { enabled: 'disabled' }))).toEqual([
    'h2 error boot (fix) the service mesos-master runs, but is disabled: it will not start when the host restarts',
  ]);
});

test('a service that is starting is a warning, one that fails again and again an error', () => {
  const starting = (restarts: number) => (own: Facts) => ({
    ...service('mesos-agent', { state: 'starting', restarts })(own),
    agent: { ...own.agent, answers: false, registered: false },
  });
  expect(inFacts(starting(2))).toEqual([
    'h2 warning health the Mesos agent is starting: does not answer on port 5051',
  ]);
  expect(inFacts(starting(3))).toEqual([
    'h2 error service the service mesos-agent (the Mesos agent) fails again and again',
  ]);
  // Its init system is slow to notice that it works.
  expect(inFacts(service('mesos-agent', { state: 'starting', restarts: 3 }))).toEqual([]);
  const runs = (own: Facts) => ({
    ...service('mesos-agent', { restarts: 7 })(own),
    agent: { ...own.agent, answers: false, registered: false },
  });
  const cause = { logs: { 'mesos-agent': ["Failed to load unknown flag 'colour'"] } };
  const later = {
    logs: { 'mesos-agent': [...cause.logs['mesos-agent'], ...Array<string>(12).fill('it works')] },
  };
  expect(withFault(runs, () => later)).toEqual([
    'h2 error health the Mesos agent runs, but does not answer on port 5051',
  ]);
  expect(withFault(runs, () => cause)).toEqual([
    'h2 error service the service mesos-agent (the Mesos agent) fails again and again: it does not know a flag that it was given',
  ]);
});

test('finds services that run and do not work, and what follows for the cluster', () => {
  expect(inFacts((own) => ({ agent: { ...own.agent, registered: false } }))).toEqual([
    'h2 error health the Mesos agent runs, but is not healthy: not registered yet',
  ]);
  expect(inFacts((own) => ({ zookeeper: { ...own.zookeeper, answers: false, mode: '' } }))).toEqual([
    'h2 error health ZooKeeper runs, but does not answer on port 2181',
  ]);
  expect(
    inFacts((own) => ({ master: { ...own.master, elected: true, recovered: true, agentsConnected: 3 } })),
  ).toEqual(['cluster error cluster 2 Mesos masters lead']);
  expect(inFacts((own) => ({ scheduler: { ...own.scheduler, leader: '10.0.0.2:8080' } }))).toEqual([
    'cluster error leader the schedulers of prod disagree on their leader',
  ]);
});

test('finds faults of ZooKeeper', () => {
  const zookeeper = (change: object) => (own: Examination) =>
    own.zookeeper ? { zookeeper: { ...own.zookeeper, ...change } } : {};
  expect(inExamination(zookeeper({ myid: '3' }))).toEqual([
    "h2 error myid (fix) ZooKeeper's id is 3, but the ensemble knows this server as 2",
  ]);
  expect(inExamination(zookeeper({ myid: '' }))[0]).toContain("ZooKeeper's id is missing");
  expect(inExamination(zookeeper({ averageLatency: 1900 }))).toEqual([
    'h2 warning zookeeper-slow ZooKeeper is slow: requests take 1900 ms on average, and 0 are waiting',
  ]);
  // A single server has no ensemble.
  const alone = { [ZOO_CFG]: fileFacts('clientPort=2181\n') };
  expect(withFault(() => ({ files: alone }), zookeeper({ myid: '' }))).toEqual([]);
});

test('finds services that answer anyone', () => {
  expect(inExamination(() => ({ guarded: { 5050: 200, 5051: 401, 8080: 0 } }))).toEqual([
    'h2 warning open the Mesos master answers anyone: it asks for no credentials at port 5050',
  ]);
});
