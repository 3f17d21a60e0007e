import { expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../../test/lb/snapshots.ts';
import { combine, type Snapshot } from './snapshot.ts';

const before = snapshotOf([balancedApp('/a', 10_001, [1, 2]), balancedApp('/b', 10_002, [3])]);

function shown({ apps }: Snapshot): Record<string, string[]> {
  return Object.fromEntries(
    apps.map(({ id, tasks }) => [id, tasks.map((one) => `${one.id} ${one.state} ${one.addresses}`)]),
  );
}

it('believes a complete answer', () => {
  const answer = snapshotOf([balancedApp('/a', 10_001, [2])]);
  expect(combine(before, answer, false)).toBe(answer);
  expect(combine(undefined, snapshotOf([], { connected: false }), false).apps).toEqual([]);
});

it.each([{ connected: false }, { unanswered: 1 }, { frameworkId: 'other' }, { frameworkId: null }])(
  'keeps apps and tasks that are missing in an answer with %o',
  (more) => {
    expect(shown(combine(before, snapshotOf([], more), false))).toEqual(shown(before));
    expect(shown(combine(before, snapshotOf([balancedApp('/a', 10_001, [4])], more), false))).toEqual({
      '/a': ['/a.4 ready 127.0.0.1:4', '/a.1 ready 127.0.0.1:1', '/a.2 ready 127.0.0.1:2'],
      '/b': ['/b.3 ready 127.0.0.1:3'],
    });
  },
);

it('takes the state of a task from an incomplete answer, and keeps its address', () => {
  const tasks = [
    { id: '/a.1', state: 'ending' as const, addresses: [null] },
    { id: '/a.2', state: 'ready' as const, addresses: [null] },
  ];
  const answer = snapshotOf([balancedApp('/a', 10_001, [], { tasks })], { unanswered: 2 });
  expect(shown(combine(before, answer, false))['/a']).toEqual([
    '/a.1 ending 127.0.0.1:1',
    '/a.2 ready 127.0.0.1:2',
  ]);
});

it('is not mistaken for the new framework until that is trusted', () => {
  const other = snapshotOf([], { frameworkId: 'other' });
  const kept = combine(before, other, false);
  expect(combine(kept, other, false).apps).toHaveLength(2);
  expect(combine(kept, other, true)).toEqual(other);
});
