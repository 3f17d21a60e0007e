import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../test/embedded/fake-clock.ts';
import type { TaskState } from '../../mesos/types.ts';
import { type PendingUpdate, StatusUpdates, type UpdateRecord } from './updates.ts';

function setUp() {
  const clock = new FakeClock();
  const sent: string[] = [];
  const records: UpdateRecord[] = [];
  const updates = new StatusUpdates({
    timer: clock.timer,
    send: (framework, status) => sent.push(`${framework} ${status.task_id.value} ${status.uuid}`),
    record: (_framework, _task, record) => records.push(record),
  });
  return { clock, sent, records, updates };
}

const update = (uuid: string, state: TaskState = 'TASK_RUNNING', task = 't'): PendingUpdate => ({
  task_id: { value: task },
  state,
  uuid,
});

describe('StatusUpdates', () => {
  it('sends one update of a task at a time, the next after the acknowledgement', () => {
    const { updates, sent } = setUp();
    updates.add('f', update('1', 'TASK_STARTING'));
    updates.add('f', update('2'));
    updates.add('f', update('3', 'TASK_RUNNING', 'other'));
    expect(sent).toEqual(['f t 1', 'f other 3']);
    expect(updates.acknowledge('f', 't', '2')).toBeUndefined();
    expect(sent).toHaveLength(2);
    expect(updates.acknowledge('f', 't', '1')).toMatchObject({ state: 'TASK_STARTING' });
    expect(sent.at(-1)).toBe('f t 2');
  });

  it('repeats an update after 10 s, then less and less often, up to every 10 minutes', () => {
    const { updates, sent, clock } = setUp();
    updates.add('f', update('1'));
    const sentBy = (ms: number) => {
      clock.advance(ms);
      return sent.length;
    };
    expect(sentBy(9999)).toBe(1);
    expect(sentBy(1)).toBe(2);
    expect(sentBy(19_999)).toBe(2);
    expect(sentBy(1)).toBe(3);
    clock.advance(3_600_000);
    const before = sent.length;
    expect(sentBy(600_000)).toBe(before + 1);
    updates.acknowledge('f', 't', '1');
    expect(sentBy(3_600_000)).toBe(before + 1);
  });

  it('accepts an update with the same uuid only once', () => {
    const { updates, sent, records } = setUp();
    updates.add('f', update('1'));
    updates.acknowledge('f', 't', '1');
    updates.add('f', update('1'));
    expect(sent).toHaveLength(1);
    expect(records.map((r) => r.type)).toEqual(['UPDATE', 'ACK']);
  });

  it('records an update before it is sent', () => {
    const order: string[] = [];
    const updates = new StatusUpdates({
      timer: new FakeClock().timer,
      send: () => order.push('send'),
      record: () => order.push('record'),
    });
    updates.add('f', update('1'));
    expect(order).toEqual(['record', 'send']);
  });

  it('continues from its records after a restart, and sends on resendAll', () => {
    const first = setUp();
    first.updates.add('f', update('1', 'TASK_STARTING'));
    first.updates.add('f', update('2'));
    first.updates.acknowledge('f', 't', '1');
    const { updates, sent } = setUp();
    updates.restore('f', 't', first.records);
    expect(sent).toEqual([]);
    updates.resendAll();
    expect(sent).toEqual(['f t 2']);
    updates.add('f', update('1', 'TASK_STARTING'));
    expect(updates.head('f', 't')?.uuid).toBe('2');
  });

  it('restores nothing of a task whose last update was acknowledged', () => {
    const { updates, sent } = setUp();
    const status = update('1', 'TASK_FINISHED');
    updates.restore('f', 't', [
      { type: 'UPDATE', status },
      { type: 'ACK', uuid: '1' },
    ]);
    updates.resendAll();
    expect(sent).toEqual([]);
  });

  it('drops the updates of a removed framework', () => {
    const { updates, sent, clock } = setUp();
    updates.add('f', update('1'));
    updates.add('g', update('2'));
    updates.dropFramework('f');
    clock.advance(10_000);
    expect(sent).toEqual(['f t 1', 'g t 2', 'g t 2']);
  });
});
