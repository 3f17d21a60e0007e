/** The v1 scheduler endpoint: accepted and refused calls, with the texts of refusals. */

import { describe, expect, it } from 'vitest';
import type { SchedulerEvent } from '../../src/mesos/types.ts';
import { frameworkInfo, SCHEDULER_PATH, TestFramework } from './support/framework.ts';
import { agentAddress, master, post } from './support/mesos.ts';
import { fixtureLines, shape } from './support/shapes.ts';

interface Transcript {
  name: string;
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The recorded answer of a real master, with its ids replaced by the framework's. */
function recorded(name: string, framework?: TestFramework): { status: number; text: string } {
  const call = fixtureLines<Transcript>('scheduler-calls.jsonl').find((line) => line.name === name);
  if (!call) throw new Error(`no call "${name}" in the transcript`);
  return {
    status: call.status,
    text: call.body.replace('9498f507-7251-4375-adb3-9a89d0a83122-0000', framework?.id ?? ''),
  };
}

describe('the content type', () => {
  const call = { type: 'REVIVE', framework_id: { value: 'nobody' } };

  it.each(['application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded'])(
    '%s is refused with 415 by the master',
    async (type) => {
      const { status } = await post(master, SCHEDULER_PATH, call, { 'Content-Type': type });
      expect(status).toBe(415);
    },
  );

  it('application/json; charset=utf-8 is refused with 415 by the agent', async () => {
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    expect((await post(await agentAddress(), '/api/v1/executor', call, headers)).status).toBe(415);
  });

  it('application/json is accepted', async () => {
    expect((await post(master, SCHEDULER_PATH, call)).status).toBe(400);
  });
});

describe('SUBSCRIBE', () => {
  it('is answered 200 with a stream id and SUBSCRIBED, in the shape of the transcript', async () => {
    await using framework = await TestFramework.subscribe();
    expect(framework.streamId).toMatch(/^[0-9a-f-]{36}$/);
    const [real] = fixtureLines<SchedulerEvent>('scheduler-events.jsonl');
    const [first] = framework.log;
    const optional = (path: string) => !path.includes('domain');
    expect(shape(first?.event).filter(optional)).toEqual(shape(real));
  });

  it('is followed immediately by a heartbeat', async () => {
    await using framework = await TestFramework.subscribe();
    await framework.event('HEARTBEAT');
    expect(framework.log.map(({ event }) => event.type).slice(0, 2)).toEqual(['SUBSCRIBED', 'HEARTBEAT']);
  });

  it('gives every framework a different id', async () => {
    await using one = await TestFramework.subscribe();
    await using other = await TestFramework.subscribe();
    expect(one.id).not.toBe(other.id);
    expect(one.streamId).not.toBe(other.streamId);
  });

  it('with the id of a subscribed framework takes it over; the first stream gets ERROR and ends', async () => {
    await using first = await TestFramework.subscribe({ offers: 'all' });
    const [offer] = (await first.event('OFFERS')).offers.offers;
    await using second = await TestFramework.subscribe({ info: { ...first.info } });
    expect(second.id).toBe(first.id);
    expect((await first.event('ERROR')).error.message).toBe('Framework failed over');
    await expect.poll(() => first.ended, { timeout: 10_000 }).toBe('the event stream ended');
    const { status } = await first.post({ type: 'REVIVE' });
    expect(status).toBe(400);
    // The offers to the first scheduler are invalid.
    const accept = { offer_ids: offer ? [offer.id] : [], operations: [] };
    await second.call({ type: 'ACCEPT', accept });
    const again = await second.offer();
    expect(again.id).not.toEqual(offer?.id);
    await second.decline(again);
  });

  it('with the id of a removed framework is answered with ERROR "Framework has been removed"', async () => {
    const removed = await TestFramework.subscribe();
    await removed[Symbol.asyncDispose]();
    const { status, text } = await post(master, SCHEDULER_PATH, {
      type: 'SUBSCRIBE',
      framework_id: removed.info.id,
      subscribe: { framework_info: removed.info },
    });
    const [subscription] = fixtureLines<{ status: number; body: string }>(
      'scheduler-removed-framework.jsonl',
    );
    expect({ status, body: text }).toEqual({ status: subscription?.status, body: subscription?.body });
  });

  it('with an id only in FrameworkInfo is refused', async () => {
    const subscribe = { framework_info: frameworkInfo({ id: { value: 'somebody' } }) };
    expect((await post(master, SCHEDULER_PATH, { type: 'SUBSCRIBE', subscribe })).status).toBe(400);
  });
});

describe('other calls', () => {
  it('are answered 202 without a body', async () => {
    await using framework = await TestFramework.subscribe();
    for (const type of ['REVIVE', 'SUPPRESS']) {
      expect(await framework.post({ type })).toMatchObject({ status: 202, text: '' });
    }
  });

  it('UPDATE_FRAMEWORK is answered 200', async () => {
    await using framework = await TestFramework.subscribe();
    const update_framework = {
      framework_info: { ...framework.info, name: 'renamed' },
      suppressed_roles: ['*'],
    };
    const { status, text } = await framework.post({ type: 'UPDATE_FRAMEWORK', update_framework });
    expect({ status, text }).toEqual(recorded('UPDATE_FRAMEWORK'));
  });

  it('with the stream id of another framework are refused with 400', async () => {
    await using framework = await TestFramework.subscribe();
    const { status, text } = await framework.post(
      { type: 'REVIVE' },
      { 'Mesos-Stream-Id': '00000000-0000-0000-0000-000000000000' },
    );
    expect({ status, text }).toEqual(recorded('wrong stream id', framework));
  });

  it('without a stream id are refused with 400', async () => {
    await using framework = await TestFramework.subscribe();
    const { status, text } = await post(master, SCHEDULER_PATH, {
      type: 'REVIVE',
      framework_id: framework.info.id,
    });
    expect({ status, text }).toEqual(recorded('no stream id'));
  });

  it('of an unknown framework are refused with 400', async () => {
    await using framework = await TestFramework.subscribe();
    const { status, text } = await framework.post({ type: 'REVIVE', framework_id: { value: 'nope' } });
    expect({ status, text }).toEqual(recorded('unknown framework'));
  });

  it('of an unknown type are refused with 400', async () => {
    await using framework = await TestFramework.subscribe();
    const { status, text } = await framework.post({ type: 'FLY' });
    expect({ status, text }).toEqual(recorded('garbage type'));
  });

  it('that are not JSON are refused with 400', async () => {
    expect((await post(master, SCHEDULER_PATH, '{"type":')).status).toBe(400);
  });

  it('of a removed framework are refused with 400', async () => {
    const framework = await TestFramework.subscribe();
    await framework[Symbol.asyncDispose]();
    expect((await framework.post({ type: 'REVIVE' })).status).toBe(400);
  });
});
