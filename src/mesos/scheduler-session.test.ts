import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inbox } from '../../test/support/inbox.ts';
import { ManualTimer } from '../../test/support/manual-timer.ts';
import { type EventStream, type Exchange, ScriptedServer } from '../../test/support/scripted-server.ts';
import { encodeRecord } from './recordio.ts';
import { createSchedulerSession, type SchedulerSession } from './scheduler-session.ts';
import type { FrameworkInfo, OfferConstraints, SchedulerEvent } from './types.ts';

const subscribed = (id: string, heartbeat = 15) => ({
  type: 'SUBSCRIBED',
  subscribed: { framework_id: { value: id }, heartbeat_interval_seconds: heartbeat },
});
const error = (message: string) => ({ type: 'ERROR', error: { message } });

let master: ScriptedServer;
let session: SchedulerSession;
let manual: ManualTimer;
let events: Inbox<SchedulerEvent>;
let lost: Inbox<string>;
let framework: FrameworkInfo;
let suppressed: string[];
let onEvent: (event: SchedulerEvent) => void;

beforeEach(async () => {
  master = new ScriptedServer();
  await master.listen();
  manual = new ManualTimer();
  events = new Inbox();
  lost = new Inbox();
  framework = { user: 'root', name: 'test' };
  suppressed = [];
  onEvent = events.put;
  session = create();
});

afterEach(async () => {
  await session.stop();
  await master.close();
});

function create(
  more: Partial<Parameters<typeof createSchedulerSession>[0]> = {},
  detect: () => Promise<string> = async () => master.address,
): SchedulerSession {
  return createSchedulerSession({
    detect,
    framework: () => framework,
    suppressedRoles: () => suppressed,
    onEvent: (event) => onEvent(event),
    onDisconnected: lost.put,
    random: () => 0.5,
    timer: manual.timer,
    ...more,
  });
}

/** Answers the next request, a SUBSCRIBE, with an open stream. */
async function subscribe(id = 'f1', streamId = 's1'): Promise<{ exchange: Exchange; stream: EventStream }> {
  const exchange = await master.next();
  expect(exchange.call.type).toBe('SUBSCRIBE');
  const stream = exchange.stream({ 'Mesos-Stream-Id': streamId });
  stream.event(subscribed(id));
  expect((await events.next()).type).toBe('SUBSCRIBED');
  return { exchange, stream };
}

describe('subscribing', () => {
  it('sends JSON that Mesos accepts, without a stream id', async () => {
    suppressed = ['web'];
    session.start();
    const { exchange } = await subscribe();
    expect(exchange.path).toBe('/api/v1/scheduler');
    expect(exchange.headers['content-type']).toBe('application/json');
    expect(exchange.headers.accept).toBe('application/json');
    expect(exchange.headers['mesos-stream-id']).toBeUndefined();
    expect(exchange.headers.authorization).toBeUndefined();
    expect(exchange.call).toEqual({
      type: 'SUBSCRIBE',
      subscribe: { framework_info: framework, suppressed_roles: ['web'] },
    });
  });

  it('sends a known framework id, outside and inside FrameworkInfo', async () => {
    framework = { ...framework, id: { value: 'f7' } };
    session.start();
    const { exchange } = await subscribe('f7');
    expect(exchange.call).toMatchObject({
      framework_id: { value: 'f7' },
      subscribe: { framework_info: { id: { value: 'f7' } } },
    });
  });

  it('sends offer constraints again if there are any', async () => {
    const predicate = { text_equals: { value: 'a' } };
    const attribute_constraints = [{ selector: { attribute_name: 'rack' }, predicate }];
    let constraints: OfferConstraints | undefined = {
      role_constraints: { web: { groups: [{ attribute_constraints }] } },
    };
    session = create({ offerConstraints: () => constraints });
    session.start();
    const { exchange, stream } = await subscribe('f1');
    expect(exchange.call).toMatchObject({ subscribe: { offer_constraints: constraints } });
    constraints = undefined;
    stream.end();
    await lost.next();
    manual.fire();
    expect(Object.keys((await subscribe('f1')).exchange.call.subscribe as object)).toEqual([
      'framework_info',
      'suppressed_roles',
    ]);
  });

  it('keeps the id of the last subscription if the caller has none yet', async () => {
    session.start();
    const { stream } = await subscribe('f1');
    stream.end();
    await lost.next();
    manual.fire();
    expect((await subscribe('f1')).exchange.call).toMatchObject({ framework_id: { value: 'f1' } });
  });

  it('follows a protocol-relative 307 with the same call, and sends later calls there', async () => {
    const standby = new ScriptedServer();
    await standby.listen();
    session = create({}, async () => standby.address);
    session.start();
    const first = await standby.next();
    first.reply(307, '', { Location: `//${master.address}/master/api/v1/scheduler` });
    const { exchange } = await subscribe();
    expect(exchange.path).toBe('/master/api/v1/scheduler');
    expect(exchange.call).toEqual(first.call);
    const call = session.call({ type: 'REVIVE' });
    const revive = await master.next();
    expect(revive.path).toBe('/master/api/v1/scheduler');
    revive.reply(202);
    await call;
    expect(standby.unread).toBe(0);
    await standby.close();
  });

  it('stops after too many redirects, and tries again', async () => {
    session.start();
    for (let hop = 0; hop <= 5; hop += 1) {
      (await master.next()).reply(307, '', { Location: `//${master.address}/api/v1/scheduler` });
    }
    expect(await lost.next()).toContain('redirected more than 5 times');
    manual.fire();
    await subscribe();
  });

  it('detects the leader before each attempt, and reports a failed detection', async () => {
    const answers = [Promise.reject(new Error('no masters in ZooKeeper')), Promise.resolve(master.address)];
    session = create({}, () => answers.shift() as Promise<string>);
    session.start();
    expect(await lost.next()).toBe('no leading master was found: no masters in ZooKeeper');
    manual.fire();
    await subscribe();
  });

  it('authenticates every request, and reports what to check after a failure', async () => {
    session = create({ credential: { principal: 'mesosup', secret: 'sesame' } });
    session.start();
    const refused = await master.next();
    const basic = `Basic ${Buffer.from('mesosup:sesame').toString('base64')}`;
    expect(refused.headers.authorization).toBe(basic);
    refused.reply(401, '401 Unauthorized.');
    const reason = await lost.next();
    expect(reason).toMatch(/answered 401: 401 Unauthorized\. \(check the principal and secret/);
    expect(reason).not.toContain('sesame');
    manual.fire();
    await subscribe();
    const call = session.call({ type: 'REVIVE' });
    const revive = await master.next();
    expect(revive.headers.authorization).toBe(basic);
    revive.reply(202);
    await call;
  });

  it('takes the next secret when the master refuses one, and keeps the one that the master takes', async () => {
    const basicOf = (text: string) => `Basic ${Buffer.from(`mesosup:${text}`).toString('base64')}`;
    session = create({ credential: { principal: 'mesosup', secret: 'old', others: ['new'] } });
    session.start();
    const tried: unknown[] = [];
    for (const status of [401, 503, 401]) {
      const refused = await master.next();
      tried.push(refused.headers.authorization);
      refused.reply(status, 'no');
      await lost.next();
      manual.fire();
    }
    expect(tried).toEqual([basicOf('old'), basicOf('new'), basicOf('new')]);
    const { exchange } = await subscribe();
    expect(exchange.headers.authorization).toBe(basicOf('old'));
    const call = session.call({ type: 'REVIVE' });
    const revive = await master.next();
    expect(revive.headers.authorization).toBe(basicOf('old'));
    revive.reply(202);
    await call;
  });

  it('limits an attempt to 15 s', async () => {
    session.start();
    await master.next();
    expect(manual.waits).toEqual([15_000]);
    manual.fire();
    expect(await lost.next()).toBe(`${master.address} did not answer SUBSCRIBE within 15 s`);
  });

  it('backs off from attempt to attempt, and starts over after a subscription', async () => {
    session.start();
    for (const wait of [75, 150, 300]) {
      (await master.next()).reply(503, 'No leader elected');
      expect(await lost.next()).toContain('answered 503: No leader elected');
      expect(manual.waits).toEqual([wait]);
      manual.fire();
    }
    const { stream } = await subscribe();
    stream.end();
    await lost.next();
    expect(manual.waits).toEqual([75]);
  });

  it('keeps trying while no master listens', async () => {
    const server = new ScriptedServer();
    await server.listen();
    const { address } = server;
    await server.close();
    session = create({}, async () => address);
    session.start();
    expect(await lost.next()).toContain('ECONNREFUSED');
    expect(manual.waits).toEqual([75]);
  });

  it('subscribes once if it is started repeatedly', async () => {
    session.start();
    session.start();
    await subscribe();
    expect(master.unread).toBe(0);
  });
});

describe('events', () => {
  it('arrive in order, complete, and without heartbeats, for any chunk sizes', async () => {
    session.start();
    const { stream } = await subscribe();
    const sent = Array.from({ length: 20 }, (_, n) => ({
      type: 'RESCIND',
      rescind: { offer_id: { value: `é${n}` } },
    }));
    const bytes = Buffer.concat(
      sent.flatMap((event) => [encodeRecord(JSON.stringify(event)), encodeRecord('{"type":"HEARTBEAT"}')]),
    );
    for (let at = 0; at < bytes.length; at += 11) {
      stream.raw(bytes.subarray(at, at + 11));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const got: SchedulerEvent[] = [];
    while (got.length < sent.length) got.push(await events.next());
    expect(got).toEqual(sent);
  });

  it('before invalid framing are delivered, and a new subscription follows', async () => {
    session.start();
    const { stream } = await subscribe();
    const good = { type: 'RESCIND', rescind: { offer_id: { value: 'o' } } };
    stream.raw(Buffer.concat([encodeRecord(JSON.stringify(good)), encodeRecord('not JSON')]));
    expect(await events.next()).toEqual(good);
    expect(await lost.next()).toContain("the event stream can't be read");
    await stream.closed;
    manual.fire();
    await subscribe();
  });

  it.each([
    ['ended', (stream: EventStream) => stream.end(), 'the event stream ended'],
    [
      'ended inside a record',
      (stream: EventStream) => {
        stream.raw(Buffer.from('20\n{"typ'));
        stream.end();
      },
      'the event stream ended inside a record',
    ],
    ['broke off', (stream: EventStream) => stream.break(), 'the event stream was interrupted: aborted'],
  ])('stop when the stream %s', async (_, end, reason) => {
    session.start();
    const { stream } = await subscribe();
    end(stream);
    expect(await lost.next()).toBe(reason);
  });

  it('are not delivered after stop, not even events of the same chunk', async () => {
    session.start();
    const { stream } = await subscribe();
    onEvent = (event) => {
      events.put(event);
      void session.stop();
    };
    const two = [1, 2].map((n) =>
      encodeRecord(JSON.stringify({ type: 'RESCIND', rescind: { offer_id: { value: `${n}` } } })),
    );
    stream.raw(Buffer.concat(two));
    await events.next();
    await stream.closed;
    expect(events.unread).toEqual([]);
    expect(lost.unread).toEqual([]);
    expect(manual.waits).toEqual([]);
  });
});

describe('the watchdog', () => {
  it('drops a master that is silent for five heartbeats, with the interval of SUBSCRIBED', async () => {
    session.start();
    const exchange = await master.next();
    const stream = exchange.stream();
    stream.event(subscribed('f1', 2));
    await events.next();
    expect(manual.waits).toEqual([10_000]);
    manual.fire();
    expect(await lost.next()).toBe('received nothing from the master for 5 heartbeats');
    await stream.closed;
    manual.fire();
    await subscribe();
  });

  it('uses 15 s if SUBSCRIBED has no interval', async () => {
    session.start();
    (await master.next())
      .stream()
      .event({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'f' } } });
    await events.next();
    expect(manual.waits).toEqual([75_000]);
  });

  it('restarts with every event, including heartbeats', async () => {
    const begun: number[] = [];
    session = create({
      timer: (ms, run) => {
        begun.push(ms);
        return manual.timer(ms, run);
      },
    });
    session.start();
    const { stream } = await subscribe();
    stream.event({ type: 'HEARTBEAT' });
    stream.event({ type: 'RESCIND', rescind: { offer_id: { value: 'o' } } });
    await events.next();
    expect(begun).toEqual([15_000, 75_000, 75_000, 75_000]);
    expect(manual.waits).toEqual([75_000]);
  });
});

describe('ERROR', () => {
  it('is delivered and followed by a new subscription', async () => {
    session.start();
    const { stream } = await subscribe();
    stream.event(error('something odd'));
    expect(await events.next()).toEqual(error('something odd'));
    expect(await lost.next()).toBe('something odd');
    manual.fire();
    await subscribe();
  });

  it('"Framework has been removed" ends the session permanently', async () => {
    session.start();
    const exchange = await master.next();
    const stream = exchange.stream();
    stream.event(error('Framework has been removed'));
    expect(await events.next()).toEqual(error('Framework has been removed'));
    await stream.closed;
    expect(manual.waits).toEqual([]);
    expect(lost.unread).toEqual([]);
  });

  it('"Framework failed over" causes a long wait, since another scheduler is subscribed', async () => {
    session.start();
    const { stream } = await subscribe();
    stream.event(error('Framework failed over'));
    await lost.next();
    expect(manual.waits).toEqual([10_000]);
  });

  it('ends the subscription before the caller makes calls on it', async () => {
    session.start();
    const { stream } = await subscribe();
    const answer = new Inbox<unknown>();
    onEvent = () => session.call({ type: 'REVIVE' }).catch(answer.put);
    stream.event(error('something odd'));
    expect(await answer.next()).toMatchObject({ message: expect.stringContaining('not subscribed') });
  });
});

describe('stop', () => {
  it('cancels a waiting attempt', async () => {
    session.start();
    (await master.next()).reply(503);
    await lost.next();
    await session.stop();
    expect(manual.waits).toEqual([]);
  });

  it('cancels an attempt that still detects the leader', async () => {
    let found: (master: string) => void = () => {};
    session = create(
      {},
      () =>
        new Promise((resolve) => {
          found = resolve;
        }),
    );
    session.start();
    await session.stop();
    found(master.address);
    await new Promise((resolve) => setImmediate(resolve));
    expect(master.unread).toBe(0);
    expect(manual.waits).toEqual([]);
  });
});
