/** Agents for Mesos' own containerizers, found by their flags. */

import { expect, it } from 'vitest';
import { appV2, start } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS, update } from '../../../../test/scheduler/running.ts';
import { explainJson, queueJson } from '../../api/v2/queue-views.ts';
import { type AgentFlags, agentFlagsOf } from '../../domain/agents.ts';
import type { StateEvent } from '../../domain/events.ts';
import { findNearest } from './nearest.ts';

const IMAGE = { cmd: undefined, container: { type: 'DOCKER', docker: { image: 'i' } } };

const flags = (containerizers: string): AgentFlags => {
  const found = agentFlagsOf({ flags: { containerizers } });
  if (!found) throw new Error('no flags');
  return found;
};

function connected(fields: Record<string, unknown> = {}): Harness {
  const harness = new Harness(AGENTS, { containerizer: 'docker' });
  harness.connect();
  harness.deliverAll();
  harness.input(start(appV2({ ...IMAGE, ...fields })));
  return harness;
}

/** Offers the agents, with their addresses. @returns the URLs of the agents that are asked for their flags */
function offer(harness: Harness, address: { ip?: string; hostname?: string } = { ip: '10.0.0.1' }): string[] {
  harness.mesos.offer();
  const asked: StateEvent[] = [];
  for (const event of harness.mesos.inbox) {
    if (event.type !== 'OFFERS') continue;
    for (const one of event.offers.offers) one.url = { scheme: 'http', address: { port: 5051, ...address } };
  }
  while (harness.mesos.inbox.length > 0) {
    harness.deliver();
    asked.push(...harness.lastDecision.events);
  }
  return asked.flatMap((event) => (event.type === 'agent_asked' ? [event.url] : []));
}

const launchedOn = ({ mesos }: Harness) => [...mesos.tasks.values()].map(({ info }) => info.agent_id.value);
const reasons = ({ state }: Harness) => [
  ...new Set([...(state.apps.get('/sleeper')?.refusals.values() ?? [])].map(({ reason }) => reason)),
];

it('launches no task before the flags of the agent are known, and only on agents that have the containerizer', () => {
  const harness = connected({ instances: 2 });
  expect(offer(harness)).toEqual(['http://10.0.0.1:5051/flags', 'http://10.0.0.1:5051/flags']);
  expect(launchedOn(harness)).toEqual([]);
  expect(reasons(harness)).toEqual(['containerizer: the flags of the agent are being read']);
  expect(offer(harness)).toEqual([]);

  harness.input({ type: 'agent_answered', agentId: 'S0', flags: flags('mesos') });
  harness.input({ type: 'agent_answered', agentId: 'S1', flags: flags('docker,mesos') });
  // The declined offers were revived by the answers.
  expect(harness.mesos.calls.findLast(({ type }) => type === 'REVIVE')).toBeDefined();
  expect(offer(harness)).toEqual([]);
  expect(launchedOn(harness)).toEqual(['S1', 'S1']);
});

it('names the agents that lack the containerizer in the queue', () => {
  const harness = connected();
  offer(harness);
  for (const { id } of AGENTS) {
    harness.input({ type: 'agent_answered', agentId: id, flags: flags('mesos') });
  }
  offer(harness);
  const { state, now } = harness;
  const reason = 'containerizer: docker needed in --containerizers of the agent, which is mesos';
  const [item] = queueJson(state, now, true).queue;
  expect(item?.processedOffersSummary.reasons).toEqual([`a, b: ${reason}`]);
  expect(item?.processedOffersSummary.rejectSummaryLastOffers[1]).toEqual({
    reason: 'UnfulfilledConstraint',
    declined: 2,
    processed: 2,
  });
  expect(item?.lastUnusedOffers?.[0]?.reason).toEqual(['UnfulfilledConstraint']);
  const record = state.apps.get('/sleeper');
  if (!record) throw new Error('no app');
  expect(explainJson(state, record, now).agents[0]?.checks[0]).toMatchObject({ ok: false, reason });
  expect(findNearest(record.refusals)).toMatchObject({ failed: [{ stage: 'containerizer' }] });
  expect(findNearest(record.refusals)).not.toHaveProperty('remedy');
});

it('assumes that an agent can if its flags can’t be read, or it has no address', () => {
  const harness = connected();
  offer(harness);
  harness.input({ type: 'agent_answered', agentId: 'S0' });
  harness.input({ type: 'agent_answered', agentId: 'S1' });
  offer(harness);
  expect(launchedOn(harness)).toHaveLength(1);
  const without = connected();
  expect(offer(without, {})).toEqual([]);
  expect(launchedOn(without)).toHaveLength(1);
});

it('avoids an agent whose flags can’t be read after it has failed a task for lack of the containerizer', () => {
  const harness = connected();
  offer(harness);
  for (const { id } of AGENTS) harness.input({ type: 'agent_answered', agentId: id });
  offer(harness);
  const [agentId = ''] = launchedOn(harness);
  const other = AGENTS.find(({ id }) => id !== agentId)?.id ?? '';
  const fail = (message: string) => {
    const [task] = [...harness.state.tasks.values()];
    const agent_id = { value: task?.agentId ?? '' };
    update(harness, task?.id ?? '', { state: 'TASK_FAILED', message, agent_id });
    harness.mesos.tasks.clear();
    harness.pass(400_000);
  };
  fail('Container exited with status 1');
  offer(harness);
  expect(launchedOn(harness)).toHaveLength(1);
  fail('Abnormal executor termination: unknown container');
  const failedOn = [...harness.state.agents].flatMap(([id, { failed }]) => (failed ? [id] : []));
  expect(failedOn).toHaveLength(1);
  const [avoided = ''] = failedOn;
  offer(harness);
  expect(launchedOn(harness)).toEqual([avoided === agentId ? other : agentId]);
  // Its answer after five minutes allows another attempt.
  expect(harness.state.agents.get(avoided)).toHaveProperty('failed');
  harness.input({ type: 'agent_answered', agentId: avoided });
  expect(harness.state.agents.get(avoided)).not.toHaveProperty('failed');
});

it('asks again after a minute, and meanwhile goes by the last answer', () => {
  const harness = connected();
  offer(harness);
  for (const { id } of AGENTS) {
    harness.input({ type: 'agent_answered', agentId: id, flags: flags('mesos') });
  }
  harness.now += 60_000;
  expect(offer(harness, { hostname: 'a.example' })).toEqual([
    'http://a.example:5051/flags',
    'http://a.example:5051/flags',
  ]);
  expect(reasons(harness)[0]).toMatch(/which is mesos/);
  const revived = () => harness.mesos.calls.filter(({ type }) => type === 'REVIVE').length;
  const before = revived();
  harness.input({ type: 'agent_answered', agentId: 'S1', flags: flags('mesos') });
  expect(revived()).toBe(before);
  harness.input({ type: 'agent_answered', agentId: 'S0', flags: flags('docker,mesos') });
  expect(revived()).toBe(before + 1);
  offer(harness, { ip: '::1' });
  expect(launchedOn(harness)).toEqual(['S0']);
});

it('asks no agent for plain commands and for the executor', () => {
  for (const fields of [
    { cmd: 'x', container: undefined },
    { labels: { MESOSUP_CONTAINERIZER: 'executor' } },
  ]) {
    const harness = connected(fields);
    expect(offer(harness)).toEqual([]);
    expect(launchedOn(harness)).toHaveLength(1);
  }
});

it('asks again after a new connection', () => {
  const harness = connected({ instances: 3 });
  offer(harness);
  harness.input({ type: 'agent_answered', agentId: 'S1', flags: flags('docker') });
  offer(harness);
  harness.disconnect();
  harness.connect();
  harness.deliverAll();
  update(harness, [...harness.state.tasks.keys()][0] ?? '', { state: 'TASK_FAILED' });
  harness.pass(2000);
  expect(offer(harness, { ip: '::1' })[0]).toBe('http://[::1]:5051/flags');
});
