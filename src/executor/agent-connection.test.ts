import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Inbox } from '../../test/support/inbox.ts';
import { type EventStream, ScriptedServer } from '../../test/support/scripted-server.ts';
import type { ExecutorEvent, TaskInfo, TaskStatus } from '../mesos/types.ts';
import { AgentConnection, type AgentListener } from './agent-connection.ts';
import type { Unacknowledged } from './domain/tasks.ts';

const task: TaskInfo = { name: 't', task_id: { value: 't1' }, agent_id: { value: 'S0' }, resources: [] };
const statusOf = (uuid: string): TaskStatus => ({ task_id: { value: 't1' }, state: 'TASK_RUNNING', uuid });
const subscribed = {
  type: 'SUBSCRIBED',
  subscribed: {
    executor_info: { executor_id: { value: 'e1' } },
    framework_info: { user: 'root', name: 'f' },
    agent_info: { hostname: 'localhost' },
  },
};
const launch = { type: 'LAUNCH', launch: { task } };

/** Time in which the connection takes what was sent. */
const ARRIVE_MS = 50;

let agent: ScriptedServer;
let connection: AgentConnection;
let events: Inbox<ExecutorEvent>;
let gaveUp: Inbox<string>;
let unacknowledged: Unacknowledged;
let listener: AgentListener;

beforeEach(async () => {
  agent = new ScriptedServer();
  await agent.listen();
  events = new Inbox();
  gaveUp = new Inbox();
  unacknowledged = { tasks: [], updates: [{ status: statusOf('u1') }] };
  listener = {
    unacknowledged: () => unacknowledged,
    onEvent: events.put,
    onRefused: () => {},
    onGaveUp: gaveUp.put,
  };
  connection = connect(true);
});

afterEach(async () => {
  await connection.stop();
  await agent.close();
});

function connect(checkpoint: boolean): AgentConnection {
  const environment = {
    agentEndpoint: agent.address,
    agentId: 'S0',
    frameworkId: 'f1',
    executorId: 'e1',
    directory: '/sandbox/run',
    checkpoint,
    shutdownGraceMs: 5000,
    recoveryTimeoutMs: 900_000,
    subscriptionBackoffMaxMs: 2000,
  };
  return new AgentConnection({ environment, unacknowledged, log: () => {} });
}

/** Subscribes without a listener. @returns the stream, when its events have arrived */
async function subscribe(...more: unknown[]): Promise<EventStream> {
  connection.start();
  const exchange = await agent.next();
  expect(exchange.call).toMatchObject({
    subscribe: { unacknowledged_updates: [{ status: { uuid: 'u1' } }] },
  });
  const stream = exchange.stream();
  for (const event of [subscribed, ...more]) stream.event(event);
  await sleep(ARRIVE_MS);
  return stream;
}

test('events that come before the listener reach it first, in order', async () => {
  const stream = await subscribe(launch);
  stream.event({ type: 'KILL', kill: { task_id: { value: 't1' } } });
  connection.listen(listener);
  const types = [await events.next(), await events.next(), await events.next()].map((event) => event.type);
  expect(types).toEqual(['SUBSCRIBED', 'LAUNCH', 'KILL']);
});

test('an update that the listener makes for an early event is sent once', async () => {
  await subscribe();
  connection.listen({
    ...listener,
    onEvent: () => {
      unacknowledged = { tasks: [], updates: [...unacknowledged.updates, { status: statusOf('u2') }] };
    },
  });
  const { call, reply } = await agent.next();
  reply(202);
  expect(call).toMatchObject({ type: 'UPDATE', update: { status: { uuid: 'u2' } } });
  expect(agent.unread).toBe(0);
});

test('the listener learns that the executor has ended for Mesos before it listened', async () => {
  connection = connect(false);
  const stream = await subscribe();
  stream.end();
  await sleep(ARRIVE_MS);
  connection.listen(listener);
  expect(await gaveUp.next()).toMatch(/does not checkpoint/);
});
