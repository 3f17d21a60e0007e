import { expect, test } from 'vitest';
import { bareFacts, clusterOf, fileFacts, hostOf, serviceFacts, sha256 } from '../../test/install/hosts.ts';
import { type DrainPlanInput, drainPlan } from './drain-plan.ts';
import type { Facts } from './facts.ts';
import { type MasterAgent, parseAgents } from './script/agents-script.ts';
import { AGENT_RETURNS } from './script/places.ts';

const cluster = clusterOf([hostOf('h1', { roles: ['agent'] })]);
const bare = bareFacts('10.0.0.1');

function plan(
  command: DrainPlanInput['command'],
  duty: MasterAgent['duty'],
  tasks = 3,
  executors = 1,
  files: Facts['files'] = {},
) {
  const agent = { id: 'a-S0', hostname: '10.0.0.1', duty };
  const facts = { ...bare, files, agent: { ...bare.agent, id: 'a-S0', tasks, executors } };
  const made = drainPlan({ cluster, host: 'h1', facts, command, agent, version: '1', sha256 });
  return made.hosts.flatMap(({ items }) => items.map(({ action, title }) => `${action}: ${title}`));
}

test('drains an agent unless it is drained and without executors', () => {
  const item = ['drain: agent a-S0: drain, with 3 tasks that move to other agents or end'];
  expect(plan('drain', 'active')).toEqual(item);
  expect(plan('drain', 'deactivated')).toEqual(item);
  expect(plan('drain', 'draining')).toEqual(item);
  expect(plan('drain', 'drained', 1, 1)).toHaveLength(1);
  expect(plan('drain', 'drained', 0, 0)).toEqual([]);
  // An interrupted upgrade has drained it, and the next one would put it back.
  expect(plan('drain', 'drained', 0, 0, { [AGENT_RETURNS]: fileFacts('a-S0\n') })).toHaveLength(1);
});

test('a member that leaves stops its scheduler and master, and its ZooKeeper does not lead', () => {
  const members = clusterOf([hostOf('h1')]);
  const services = Object.fromEntries(
    ['mesosup-scheduler', 'mesos-master', 'zookeeper'].map((name) => [name, serviceFacts({ inputs: 'x' })]),
  );
  const titles = (mode: string, agent?: MasterAgent) => {
    const facts = { ...bare, services, zookeeper: { answers: true, mode, version: '' } };
    const input = { cluster: members, host: 'h1', facts, command: 'drain', agent, retire: true } as const;
    const made = drainPlan({ ...input, version: '1', sha256 });
    return made.hosts.flatMap(({ items }) => items.map(({ action, id }) => `${action} ${id}`));
  };
  const stops = ['stop service:mesosup-scheduler', 'stop service:mesos-master'];
  expect(titles('follower')).toEqual(stops);
  expect(titles('leader')).toEqual([...stops, 'step-down service:zookeeper']);
  const agent = { id: 'a-S0', hostname: '10.0.0.1', duty: 'active' } as const;
  expect(titles('follower', agent)).toEqual([
    'drain service:mesos-agent',
    'replace-agent service:mesos-agent',
    ...stops,
  ]);
});

test('puts back every agent that is not active', () => {
  expect(plan('undrain', 'active')).toEqual([]);
  for (const duty of ['deactivated', 'draining', 'drained'] as const) {
    expect(plan('undrain', duty)).toEqual(['undrain: agent a-S0: put back into service']);
  }
});

test("reads the states of agents from the master's answer", () => {
  const slave = (id: string, more: object = {}) => ({ id, hostname: 'h', active: true, ...more });
  const slaves = [
    slave('S0'),
    slave('S1', { deactivated: true }),
    slave('S2', { deactivated: true, drain_info: { state: 'DRAINING', config: {} } }),
    slave('S3', { deactivated: true, drain_info: { state: 'DRAINED', config: {} } }),
  ];
  const printed = `HTTP/1.1 200 OK\r\n\r\n${JSON.stringify({ slaves })}\0asked 0 12`;
  expect(parseAgents(printed)?.map(({ id, duty }) => `${id} ${duty}`)).toEqual([
    'S0 active',
    'S1 deactivated',
    'S2 draining',
    'S3 drained',
  ]);
  expect(parseAgents('HTTP/1.1 307 Temporary Redirect\r\n\r\n\0asked 0 1')).toBeUndefined();
  expect(parseAgents('\0asked 1 1')).toBeUndefined();
});
