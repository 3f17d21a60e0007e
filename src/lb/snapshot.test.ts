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

it.each([0, 2])(
  'keeps a ready task that a new leader has not checked yet, with %i unanswered',
  (unanswered) => {
    const tasks = [
      { id: '/a.1', state: 'waiting' as const, unchecked: true, addresses: ['127.0.0.1:1'] },
      { id: '/a.2', state: 'waiting' as const, addresses: ['127.0.0.1:2'] },
      { id: '/a.4', state: 'waiting' as const, unchecked: true, addresses: ['127.0.0.1:4'] },
    ];
    const answer = snapshotOf([balancedApp('/a', 10_001, [], { tasks }), balancedApp('/b', 10_002, [3])], {
      unanswered,
    });
    const kept = combine(before, answer, false);
    expect(shown(kept)['/a']).toEqual([
      '/a.1 ready 127.0.0.1:1',
      // Its check has failed.
      '/a.2 waiting 127.0.0.1:2',
      // It was not ready before.
      '/a.4 waiting 127.0.0.1:4',
    ]);
    // And so it stays, answer by answer.
    expect(shown(combine(kept, answer, false))['/a']).toEqual(shown(kept)['/a']);
  },
);

it('is not mistaken for the new framework until that is trusted', () => {
  const other = snapshotOf([], { frameworkId: 'other' });
  const kept = combine(before, other, false);
  expect(combine(kept, other, false).apps).toHaveLength(2);
  expect(combine(kept, other, true)).toEqual(other);
});
