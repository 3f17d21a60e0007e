import fc from 'fast-check';
import { expect, it } from 'vitest';
import { appV2, start } from '../../../test/scheduler/fixtures.ts';
import { running } from '../../../test/scheduler/running.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { StoredEvent } from '../domain/events.ts';
import { snapshotOf } from '../domain/snapshot.ts';
import { compactEvents, removeFramework, summarizeEvents } from './contents.ts';
import { type Backup, createBackup, decodeBackup, encodeBackup } from './format.ts';

/** A backup of a scheduler with tasks and a running deployment. */
function backup(): Backup {
  const harness = running(3);
  harness.input(start(appV2({ env: { MÄRZ: 'für "alle"\n' }, instances: 2 })));
  const { events, summary } = compactEvents([...snapshotOf(harness.state)]);
  return createBackup({ at: '2026-01-02T03:04:05.678Z', from: '/var/lib/somewhere', ...summary }, events);
}

function bytesOf(one: Backup): Buffer {
  return Buffer.from([...encodeBackup(one)].join(''));
}

it('is read as it was written, and begins with a summary', () => {
  const taken = backup();
  const read = decodeBackup(bytesOf(taken), 'x');
  expect(read).toEqual(taken);
  expect(read.head).toMatchObject({ apps: 2, groups: 0, tasks: 3, deployments: 1 });
  expect(summarizeEvents(read.events)).toEqual({
    frameworkId: read.head.frameworkId,
    apps: 2,
    groups: 0,
    tasks: 3,
    deployments: 1,
  });
  const [first] = bytesOf(taken).toString().split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ format: 'mesosup-backup', version: 1, stateVersion: 2 });
});

it('holds any number of events', () => {
  const one: StoredEvent = { type: 'app_removed', appId: '/ä', at: 1 };
  for (const count of [0, 499, 500, 501, 5000]) {
    const { head } = backup();
    const many = { head, events: Array.from({ length: count }, () => one) };
    expect(decodeBackup(bytesOf(many), 'x')).toEqual(many);
  }
});

it('is refused if it is truncated anywhere', () => {
  const whole = bytesOf(backup());
  for (let end = 0; end < whole.length; end += 1) {
    expect(() => decodeBackup(whole.subarray(0, end), 'x')).toThrow(MesosupError);
  }
});

it('is refused if any byte has changed', () => {
  const whole = bytesOf(backup());
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ by;
      expect(() => decodeBackup(changed, 'x')).toThrow(MesosupError);
    }),
  );
});

it('names the file and its problem', () => {
  const text = bytesOf(backup()).toString();
  const of = (changed: string) => () => decodeBackup(Buffer.from(changed), 'my.backup');
  expect(of('')).toThrow('my.backup is not a scheduler backup');
  expect(of('null\n')).toThrow('is not a scheduler backup');
  expect(of(text.replace('"stateVersion":2', '"stateVersion":3'))).toThrow(
    'my.backup has backup version 1 and state version 3; this mesosup reads versions 1 and 2',
  );
  expect(
    of(text.replace('"stateVersion":2,"release":"0.1.0"', '"stateVersion":3,"release":"9.8.7"')),
  ).toThrow('restore it with mesosup 9.8.7, which made it');
  expect(of(text.trimEnd())).toThrow('is truncated');
  expect(of(text.replace('sleep', 'slept'))).toThrow('is damaged');
});

it('keeps apps, versions and deployments without the framework', () => {
  const { events } = backup();
  expect(summarizeEvents(removeFramework(events))).toEqual({ apps: 2, groups: 0, tasks: 0, deployments: 1 });
});

it('is refused if it holds an event of a later release, with its name', () => {
  const { head } = backup();
  const events = [
    { type: 'release_changed', release: '9.8.7' },
    { type: 'later' },
  ] as unknown as StoredEvent[];
  expect(() => decodeBackup(bytesOf({ head, events }), 'my.backup')).toThrow(
    /^my\.backup contains an event of unknown type "later", which mesosup [\d.]+ can't read: run mesosup 9\.8\.7, which wrote it$/,
  );
});
