import { expect, test } from 'vitest';
import { HostError } from '../../hosts/host.ts';
import type { HostPlan } from '../plan.ts';
import type { RunEvent } from '../run-events.ts';
import { describe, recordOf, renderTroubles, shorten, troubleFrom, troubleOf } from './outcome.ts';

const plan: HostPlan = {
  host: 'h1',
  basis: '',
  items: [{ id: 'package:x', action: 'install', title: 'package x: install', diff: [] }],
};

test('a failed run names the item, what happened and the remedy', () => {
  const failed = {
    event: 'failed',
    item: 0,
    failure: 'hash',
    message: 'wrong',
    remedy: 'Do.',
    at: 0,
  } as const;
  const trouble = troubleOf(plan, { ok: false, failed });
  expect(trouble).toEqual({
    host: 'h1',
    failure: 'hash',
    message: 'package x: install: wrong',
    remedy: 'Do.',
  });
  expect(renderTroubles(trouble ? [trouble] : [])).toBe('✖ h1: package x: install: wrong\n  → Do.');
  expect(troubleOf(plan, { ok: true })).toBeUndefined();
  expect(troubleOf(plan, { ok: false, failed: null })?.message).toContain('without reporting a reason');
});

test('an error about a host is its trouble; any other error is none', () => {
  expect(troubleFrom('h1', new HostError('h1', 'lost', 'h1: gone', 'Wait.'))?.failure).toBe('lost');
  expect(troubleFrom('h1', new TypeError('x'))).toBeUndefined();
});

test('events describe the progress of a run, also if its plan is unknown', () => {
  const labels = [
    { title: '/etc/x: create', last: 0 },
    { title: 'installing 2 packages: a, b', last: 2 },
    { title: 'installing 2 packages: a, b', last: 2 },
  ];
  expect(describe({ event: 'start', item: 0, at: 0 }, 3, labels)).toBe('1/3 /etc/x: create');
  expect(describe({ event: 'start', item: 1, at: 0 }, 3, labels)).toBe('2–3/3 installing 2 packages: a, b');
  expect(describe({ event: 'progress', item: 1, percent: 40, text: 'Unpacking a', at: 0 }, 3, labels)).toBe(
    '2–3/3 installing 2 packages: a, b: Unpacking a, 40 %',
  );
  expect(describe({ event: 'wait', item: 1, reason: 'the lock', at: 0 }, 3, [])).toBe(
    '2/3: waiting: the lock',
  );
  expect(describe({ event: 'log', item: 1, line: 'x' }, 3, [])).toBeUndefined();
});

test('long texts keep their first and their last lines', () => {
  expect(shorten('a\n\nb')).toBe('a\nb');
  const long = shorten(Array.from({ length: 50 }, (_, i) => `${i} ${'x'.repeat(500)}`).join('\n'));
  expect(long.split('\n')).toHaveLength(12);
  expect(long).toMatch(/^0 x[\s\S]*\n49 x+…$/);
  expect(Math.max(...long.split('\n').map((line) => line.length))).toBe(201);
});

test('records steps, waits, output and the end of a run, and not its progress', () => {
  const labels = [{ title: 'install docker.io', last: 0 }];
  const events: RunEvent[] = [
    { event: 'begin', run: 'install-x', items: 1, at: 0 },
    { event: 'start', item: 0, at: 0 },
    { event: 'wait', item: 0, reason: 'the dpkg lock is held', at: 0 },
    { event: 'progress', item: 0, percent: 5, text: 'Unpacking', at: 0 },
    { event: 'log', item: 0, line: 'Setting up docker.io' },
    { event: 'done', item: 0, at: 0 },
    { event: 'failed', item: 0, failure: 'x', message: 'm', remedy: 'r', at: 0 },
    { event: 'left', accounts: 'user zookeeper' },
    { event: 'unrestored', packages: 'docker.io 20' },
    { event: 'end', ok: true, at: 0 },
    { event: 'end', ok: false, at: 0 },
  ];
  expect(events.flatMap((event) => recordOf(event, 1, labels) ?? [])).toEqual([
    { kind: 'note', text: '1 change, as install-x' },
    { kind: 'step', text: '1/1 install docker.io' },
    { kind: 'wait', text: '1/1 install docker.io: waiting: the dpkg lock is held' },
    { kind: 'output', text: 'Setting up docker.io' },
    { kind: 'note', text: 'packages left these accounts behind: user zookeeper' },
    { kind: 'note', text: 'not restored: docker.io 20' },
    { kind: 'done', text: 'done' },
  ]);
});
