import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inbox } from '../../test/support/inbox.ts';
import { ManualTimer } from '../../test/support/manual-timer.ts';
import { type EventStream, type Exchange, ScriptedServer } from '../../test/support/scripted-server.ts';
import { createExecutorSession, type ExecutorEnvironment, type ExecutorSession } from './executor-session.ts';
import { MesosCallError } from './http.ts';
import type { ExecutorEvent, TaskInfo, TaskStatus } from './types.ts';

const task: TaskInfo = { name: 't', task_id: { value: 't1' }, agent_id: { value: 'S0' }, resources: [] };
const status: TaskStatus = { task_id: { value: 't0' }, state: 'TASK_RUNNING', uuid: 'u0' };
const subscribedEvent = {
  type: 'SUBSCRIBED',
  subscribed: {
    executor_info: { executor_id: { value: 'e1' } },
    framework_info: { user: 'root', name: 'f' },
    agent_info: { hostname: 'localhost' },
  },
};

let agent: ScriptedServer;
let session: ExecutorSession;
let manual: ManualTimer;
let events: Inbox<ExecutorEvent>;
let lost: Inbox<string>;
let gaveUp: Inbox<string>;
let onDisconnected: (reason: string) => void;
let unacknowledged: { tasks: TaskInfo[]; updates: { status: TaskStatus }[] };

beforeEach(async () => {
  agent = new ScriptedServer();
  await agent.listen();
  manual = new ManualTimer();
  events = new Inbox();
  lost = new Inbox();
  gaveUp = new Inbox();
  onDisconnected = lost.put;
  unacknowledged = { tasks: [], updates: [] };
  session = create();
});

afterEach(async () => {
  await session.stop();
  await agent.close();
});

function create(
  more: Partial<ExecutorEnvironment> = {},
  renewToken?: (token: string) => string | undefined,
): ExecutorSession {
  return createExecutorSession({
    ...(renewToken && { renewToken }),
    environment: {
      agentEndpoint: more.domainSocket === undefined ? agent.address : '127.0.0.1:1',
      agentId: 'S0',
      frameworkId: 'f1',
      executorId: 'e1',
      directory: '/sandbox/run',
      checkpoint: true,
      shutdownGraceMs: 5000,
      recoveryTimeoutMs: 900_000,
      subscriptionBackoffMaxMs: 2000,
      ...more,
    },
    unacknowledged: () => unacknowledged,
    onEvent: events.put,
    onDisconnected: (reason) => onDisconnected(reason),
    onGaveUp: gaveUp.put,
    random: () => 0.5,
    timer: manual.timer,
  });
}

async function subscribe(): Promise<{ exchange: Exchange; stream: EventStream }> {
  const exchange = await agent.next();
  const stream = exchange.stream();
  stream.event(subscribedEvent);
  expect((await events.next()).type).toBe('SUBSCRIBED');
  return { exchange, stream };
}

it('subscribes with its ids and unacknowledged tasks and updates', async () => {
  unacknowledged = { tasks: [task], updates: [{ status }] };
  session.start();
  session.start();
  const { exchange } = await subscribe();
  expect(exchange.path).toBe('/api/v1/executor');
  expect(exchange.headers['content-type']).toBe('application/json');
  expect(exchange.headers.authorization).toBeUndefined();
  expect(exchange.call).toEqual({
    type: 'SUBSCRIBE',
    executor_id: { value: 'e1' },
    framework_id: { value: 'f1' },
    subscribe: { unacknowledged_tasks: [task], unacknowledged_updates: [{ status }] },
  });
  expect(agent.unread).toBe(0);
});

it('delivers every event except heartbeats, and has no watchdog', async () => {
  session.start();
  const { stream } = await subscribe();
  stream.event({ type: 'HEARTBEAT' });
  stream.event({ type: 'LAUNCH', launch: { task } });
  expect(await events.next()).toEqual({ type: 'LAUNCH', launch: { task } });
  expect(manual.waits).toEqual([]);
});

it('sends its token with every request', async () => {
  session = create({ authenticationToken: 'jwt' });
  session.start();
  const { exchange } = await subscribe();
  expect(exchange.headers.authorization).toBe('Bearer jwt');
  const call = session.call({ type: 'MESSAGE', message: { data: '' } });
  const message = await agent.next();
  expect(message.headers.authorization).toBe('Bearer jwt');
  message.reply(202);
  await call;
});

it('renews a token that the agent refuses, and only then', async () => {
  session = create({ authenticationToken: 'a' }, (token) => (token === 'a' ? 'b' : undefined));
  session.start();
  for (const [token, answer] of [
    ['a', 503],
    ['a', 401],
    ['b', 401],
  ] as const) {
    const refused = await agent.next();
    expect(refused.headers.authorization).toBe(`Bearer ${token}`);
    refused.reply(answer, 'no');
    await lost.next();
    manual.fire();
  }
  const { exchange } = await subscribe();
  expect(exchange.headers.authorization).toBe('Bearer b');
  const call = session.call({ type: 'MESSAGE', message: { data: '' } });
  const message = await agent.next();
  expect(message.headers.authorization).toBe('Bearer b');
  message.reply(202);
  await call;
});

it('uses a Unix socket if the agent provides one', async () => {
  const path = join(tmpdir(), `${randomUUID()}.sock`);
  await agent.close();
  agent = new ScriptedServer();
  await agent.listen(path);
  session = create({ domainSocket: path });
  session.start();
  await subscribe();
  const call = session.call({ type: 'UPDATE', update: { status } });
  (await agent.next()).reply(202);
  await call;
});

describe('calls', () => {
  it('are sent in order, each with its ids', async () => {
    session.start();
    await subscribe();
    const calls = ['a', 'b', 'c'].map((data) => session.call({ type: 'MESSAGE', message: { data } }));
    for (const data of ['a', 'b', 'c']) {
      const exchange = await agent.next();
      expect(exchange.call).toEqual({
        type: 'MESSAGE',
        message: { data },
        executor_id: { value: 'e1' },
        framework_id: { value: 'f1' },
      });
      expect(agent.unread).toBe(0);
      exchange.reply(202);
    }
    await Promise.all(calls);
  });

  it('are refused while not subscribed', async () => {
    session.start();
    await agent.next();
    await expect(session.call({ type: 'UPDATE', update: { status } })).rejects.toThrow('UPDATE was not sent');
  });

  it('that the agent refuses reject with status and text, and do not end the subscription', async () => {
    session.start();
    await subscribe();
    const call = session.call({ type: 'UPDATE', update: { status } });
    (await agent.next()).reply(400, 'Failed to validate executor::Call: Not a valid UUID');
    await expect(call).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Not a valid UUID'),
    });
    expect(lost.unread).toEqual([]);
  });

  it.each([403, 503])('answered %i cause a new subscription', async (code) => {
    session.start();
    const { stream } = await subscribe();
    const call = session.call({ type: 'UPDATE', update: { status } });
    (await agent.next()).reply(code, 'no');
    await expect(call).rejects.toMatchObject({ status: code });
    await lost.next();
    await stream.closed;
  });

  /** Answers one call, so that the next one uses a kept-alive connection. */
  async function keepConnection(): Promise<void> {
    const call = session.call({ type: 'MESSAGE', message: { data: '' } });
    (await agent.next()).reply(202);
    await call;
  }

  it('UPDATE is sent again if the kept-alive connection is closed', async () => {
    session.start();
    await subscribe();
    await keepConnection();
    const call = session.call({ type: 'UPDATE', update: { status } });
    const first = await agent.next();
    first.hangUp();
    const second = await agent.next();
    expect(second.call).toEqual(first.call);
    expect(second.connection).not.toBe(first.connection);
    second.reply(202);
    await call;
    expect(lost.unread).toEqual([]);
  });

  it('UPDATE is repeated only once', async () => {
    session.start();
    await subscribe();
    await keepConnection();
    const call = session.call({ type: 'UPDATE', update: { status } });
    const rejection = expect(call).rejects.toMatchObject({ name: 'MesosCallError', status: undefined });
    (await agent.next()).hangUp();
    (await agent.next()).hangUp();
    await rejection;
    await lost.next();
  });

  it('MESSAGE is never repeated', async () => {
    session.start();
    await subscribe();
    await keepConnection();
    const call = session.call({ type: 'MESSAGE', message: { data: '' } });
    const rejection = expect(call).rejects.toThrow(MesosCallError);
    (await agent.next()).hangUp();
    await rejection;
    await lost.next();
    expect(agent.unread).toBe(0);
  });
});

describe('when the agent disconnects', () => {
  it('a checkpointed executor retries every 100 to 250 ms, also after 503', async () => {
    session.start();
    const { stream } = await subscribe();
    unacknowledged = { tasks: [task], updates: [{ status }] };
    stream.break();
    await lost.next();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(manual.waits.toSorted((a, b) => a - b)).toEqual([175, 900_000]);
      manual.fire();
      (await agent.next()).reply(503, 'Agent has not finished recovery');
      expect(await lost.next()).toContain('Agent has not finished recovery');
    }
    manual.fire();
    const { exchange } = await subscribe();
    expect(exchange.call.subscribe).toEqual({
      unacknowledged_tasks: [task],
      unacknowledged_updates: [{ status }],
    });
    expect(manual.waits).toEqual([]);
    expect(gaveUp.unread).toEqual([]);
  });

  it('a checkpointed executor gives up after the recovery timeout', async () => {
    session = create({ recoveryTimeoutMs: 150 });
    session.start();
    const { stream } = await subscribe();
    stream.end();
    await lost.next();
    manual.fire();
    expect(await gaveUp.next()).toContain('recovery timeout of 0.15 s');
    expect(manual.waits).toEqual([]);
    expect(agent.unread).toBe(0);
  });

  it('an executor that is always refused gives up as well', async () => {
    session = create({ recoveryTimeoutMs: 150 });
    session.start();
    (await agent.next()).reply(403, 'no such executor');
    await lost.next();
    manual.fire();
    await gaveUp.next();
  });

  it('an executor whose agent never answers gives up as well', async () => {
    session.start();
    await agent.next();
    expect(manual.waits).toEqual([900_000]);
    manual.fire();
    await gaveUp.next();
  });

  it('an executor without checkpointing gives up immediately', async () => {
    session = create({ checkpoint: false });
    session.start();
    const { stream } = await subscribe();
    stream.end();
    expect(await lost.next()).toBe('the event stream ended');
    expect(await gaveUp.next()).toContain('does not checkpoint');
    expect(manual.waits).toEqual([]);
  });

  it('no attempt follows if the caller stops the session in onDisconnected', async () => {
    onDisconnected = (reason) => {
      void session.stop();
      lost.put(reason);
    };
    session.start();
    const { stream } = await subscribe();
    stream.end();
    await lost.next();
    expect(manual.waits).toEqual([]);
    expect(gaveUp.unread).toEqual([]);
  });
});
