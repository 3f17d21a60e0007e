import { expect, it } from 'vitest';
import { Watches, type WatchKind } from './watches.ts';
import type { WatchEventType } from './wire/protocol.ts';

/** Returns the watches on `/a` that an event fires. */
function fired(type: WatchEventType, path = '/a'): WatchKind[] {
  const watches = new Watches();
  const calls: WatchKind[] = [];
  watches.add('data', '/a', () => calls.push('data'));
  watches.add('children', '/a', () => calls.push('children'));
  watches.fire({ type, path });
  return calls;
}

it('fires only the watches of the event’s type and path', () => {
  expect(fired('created')).toEqual(['data']);
  expect(fired('data-changed')).toEqual(['data']);
  expect(fired('children-changed')).toEqual(['children']);
  expect(fired('deleted')).toEqual(['data', 'children']);
  expect(fired('deleted', '/a/b')).toEqual([]);
});

it('fires each watch once, even if it was added twice, and again if it was added since', () => {
  const watches = new Watches();
  let calls = 0;
  const watch = (): void => {
    calls += 1;
    if (calls === 1) watches.add('data', '/a', watch);
  };
  watches.add('data', '/a', watch);
  watches.add('data', '/a', watch);
  watches.fire({ type: 'data-changed', path: '/a' });
  expect(calls).toBe(1);
  watches.fireAll();
  watches.fireAll();
  expect(calls).toBe(2);
});
