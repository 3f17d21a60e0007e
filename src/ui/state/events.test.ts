import { expect, it } from 'vitest';
import { aboutText, addEvent, liveEvent, matchesEvent } from './events.ts';

const status = liveEvent('status_update_event', '1', {
  timestamp: '2026-01-01T00:00:00.000Z',
  eventType: 'status_update_event',
  appId: '/a',
  taskStatus: 'TASK_FAILED',
  message: 'exit  code\u001b 1',
});

it('describes an event, and finds it by words of its type and content', () => {
  expect(aboutText(status)).toContain('taskStatus=TASK_FAILED');
  expect(matchesEvent(status, 'UPDATE failed')).toBe(true);
  expect(matchesEvent(status, 'update running')).toBe(false);
  expect(status.apps).toEqual(['/a']);
});

it('finds the app of a changed definition', () => {
  expect(liveEvent('api_post_event', '1', { appDefinition: { id: '/x' } }).apps).toEqual(['/x']);
});

it('keeps the last 1000 events, and an event that comes again only once', () => {
  const many = Array.from({ length: 1100 }, (_, i) => ({ ...status, id: String(i) }));
  const kept = addEvent([], many);
  expect([kept.length, kept[0]?.id]).toEqual([1000, '100']);
  expect(addEvent(kept, kept.slice(-3))).toHaveLength(1000);
});

it('forgets old events sooner if they are large, but not the last one', () => {
  const large = (count: number, characters: number) =>
    Array.from({ length: count }, (_, i) => ({ ...status, id: String(i), characters }));
  expect(addEvent([], large(1000, 1 << 20)).map(({ id }) => id)).toEqual([
    '992',
    '993',
    '994',
    '995',
    '996',
    '997',
    '998',
    '999',
  ]);
  expect(addEvent([], large(2, 1 << 30))).toHaveLength(1);
  expect(liveEvent('x', '1', { a: 'b' }).characters).toBe(9);
});
