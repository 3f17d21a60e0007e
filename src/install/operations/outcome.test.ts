import { expect, test } from 'vitest';
import { HostError } from '../../hosts/host.ts';
import type { HostPlan } from '../plan.ts';
import { describe, renderTroubles, shorten, troubleFrom, troubleOf } from './outcome.ts';

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
