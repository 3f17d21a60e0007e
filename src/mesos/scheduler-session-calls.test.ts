import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inbox } from '../../test/support/inbox.ts';
import { ManualTimer } from '../../test/support/manual-timer.ts';
import { type EventStream, type Exchange, ScriptedServer } from '../../test/support/scripted-server.ts';
import { createSchedulerSession, MesosCallError, type SchedulerSession } from './scheduler-session.ts';
import type { FrameworkInfo, SchedulerEvent } from './types.ts';

const acknowledge = (n: number) =>
  ({
    type: 'ACKNOWLEDGE',
    acknowledge: { agent_id: { value: 'a' }, task_id: { value: `t${n}` }, uuid: 'u' },
  }) as const;
const framework: FrameworkInfo = { user: 'root', name: 'test' };

let master: ScriptedServer;
let session: SchedulerSession;
let manual: ManualTimer;
let events: Inbox<SchedulerEvent>;
let lost: Inbox<string>;

beforeEach(async () => {
  master = new ScriptedServer();
  await master.listen();
  manual = new ManualTimer();
  events = new Inbox();
  lost = new Inbox();
  session = createSchedulerSession({
    detect: async () => master.address,
    framework: () => framework,
    suppressedRoles: () => [],
    onEvent: events.put,
    onDisconnected: lost.put,
    random: () => 0.5,
    timer: manual.timer,
  });
});

afterEach(async () => {
  await session.stop();
  await master.close();
});

/** Answers the next request, a SUBSCRIBE, with an open stream. */
async function subscribe(id = 'f1', streamId = 's1'): Promise<{ exchange: Exchange; stream: EventStream }> {
  const exchange = await master.next();
  const stream = exchange.stream({ 'Mesos-Stream-Id': streamId });
  stream.event({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: id } } });
  expect((await events.next()).type).toBe('SUBSCRIBED');
  return { exchange, stream };
}

describe('calls', () => {
  it('have framework and stream id, and are sent in order on one separate connection', async () => {
    session.start();
    const { exchange: subscription } = await subscribe('f1', 's9');
    const calls = [0, 1, 2, 3].map((n) => session.call(acknowledge(n)));
    const connections = new Set<number>();
    for (let n = 0; n < 4; n += 1) {
      const exchange = await master.next();
      expect(exchange.call).toEqual({ ...acknowledge(n), framework_id: { value: 'f1' } });
      expect(exchange.headers['mesos-stream-id']).toBe('s9');
      expect(exchange.headers['content-type']).toBe('application/json');
      expect(master.unread).toBe(0);
      connections.add(exchange.connection);
      exchange.reply(202);
    }
    await Promise.all(calls);
    expect(connections.size).toBe(1);
    expect(connections).not.toContain(subscription.connection);
  });

  it('resolve also at 200, the answer to UPDATE_FRAMEWORK', async () => {
    session.start();
    await subscribe();
    const call = session.call({ type: 'UPDATE_FRAMEWORK', update_framework: { framework_info: framework } });
    (await master.next()).reply(200);
    await call;
  });

  it('that are not authorized reject, and do not end the subscription', async () => {
    session.start();
    await subscribe();
    const call = session.call({ type: 'UPDATE_FRAMEWORK', update_framework: { framework_info: framework } });
    (await master.next()).reply(403, "Not authorized to register framework 'f1'");
    await expect(call).rejects.toMatchObject({ status: 403 });
    expect(lost.unread).toEqual([]);
  });

  it('are refused while not subscribed', async () => {
    await expect(session.call({ type: 'REVIVE' })).rejects.toThrow(MesosCallError);
    session.start();
    const exchange = await master.next();
    exchange.stream({ 'Mesos-Stream-Id': 's1' });
    await expect(session.call({ type: 'REVIVE' })).rejects.toThrow('REVIVE was not sent');
  });

  it('that are invalid reject with status and text, and do not end the subscription', async () => {
    session.start();
    await subscribe();
    const call = session.call({ type: 'REVIVE' });
    (await master.next()).reply(400, "Failed to validate scheduler::Call: Expecting 'type' to be present");
    await expect(call).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining("Expecting 'type' to be present"),
    });
    const next = session.call({ type: 'REVIVE' });
    (await master.next()).reply(202);
    await next;
    expect(lost.unread).toEqual([]);
  });

  it.each([
    [400, 'Framework cannot be found'],
    [400, "The stream ID 'x' included in this request didn't match the stream ID currently associated"],
    [400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"],
    [403, 'Framework is not subscribed'],
  ])('answered %i "%s" cause a new subscription', async (status, text) => {
    session.start();
    const { stream } = await subscribe();
    const call = session.call({ type: 'REVIVE' });
    (await master.next()).reply(status, text);
    await expect(call).rejects.toMatchObject({ status });
    expect(await lost.next()).toContain(text);
    await stream.closed;
    manual.fire();
    await subscribe();
  });

  it('without an answer cause a new subscription, and waiting calls are not sent', async () => {
    session.start();
    await subscribe('f1', 's1');
    const calls = [0, 1].map((n) => session.call(acknowledge(n)).catch((reason: unknown) => reason));
    const exchange = await master.next();
    exchange.stream().break();
    for (const call of calls) {
      expect(await call).toMatchObject({ name: 'MesosCallError', status: undefined });
    }
    await lost.next();
    manual.fire();
    await subscribe('f1', 's2');
    expect(master.unread).toBe(0);
  });

  it('in flight may be answered after the end of the subscription, like TEARDOWN; waiting calls are not sent', async () => {
    session.start();
    const { stream } = await subscribe();
    const teardown = session.call({ type: 'TEARDOWN' });
    const behind = expect(session.call({ type: 'REVIVE' })).rejects.toThrow('the connection was closed');
    const exchange = await master.next();
    stream.end();
    await lost.next();
    exchange.reply(202);
    await teardown;
    await behind;
    expect(manual.waits).toEqual([75]);
    expect(master.unread).toBe(0);
  });

  it('in flight reject a second after the end of the subscription', async () => {
    session.start();
    const { stream } = await subscribe();
    const rejection = expect(session.call({ type: 'TEARDOWN' })).rejects.toThrow('the connection was closed');
    await master.next();
    stream.end();
    await lost.next();
    expect(manual.waits).toEqual([1000, 75]);
    manual.fire();
    await subscribe();
    manual.fire();
    await rejection;
  });

  it('in flight reject when the session is stopped', async () => {
    session.start();
    const { stream } = await subscribe();
    const call = session.call({ type: 'REVIVE' });
    await master.next();
    const rejection = expect(call).rejects.toThrow('the connection was closed');
    await session.stop();
    await rejection;
    await stream.closed;
    expect(lost.unread).toEqual([]);
  });
});
