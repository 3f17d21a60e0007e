import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanUpSettings, isExpired, type PulledImage, removableImages } from './image-clean-up.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;
const settings = { unusedMs: 30 * DAY_MS, maxDiskPercent: 85, keep: [] as string[] };

describe('the settings', () => {
  test('remove images after 30 days and above 85% of the disk by default', () => {
    expect(cleanUpSettings({})).toEqual(settings);
    const images = { unusedDays: 7, maxDiskPercent: 50, keep: ['a'] };
    expect(cleanUpSettings({ images })).toEqual({ unusedMs: 7 * DAY_MS, maxDiskPercent: 50, keep: ['a'] });
  });

  test('can keep all images', () => {
    expect(cleanUpSettings({ images: { cleanUp: false, unusedDays: 1 } })).toBeUndefined();
  });
});

test.each([
  ['redis:7', 'redis', true],
  ['redis:7', 'redis:7', true],
  ['redis@sha256:a', 'redis', true],
  ['redis:7', 'redis:8', false],
  ['redis-cluster:1', 'redis', false],
  ['team/app:1', 'team/*', true],
  ['teams/app:1', 'team/*', false],
  ['a:1', '*', true],
])('%s is kept by "%s": %s', (image, name, isKept) => {
  const known = { image, id: 'x', lastUsed: 0 };
  const found = removableImages([known], new Set(), { ...settings, keep: [name] }, NOW);
  expect(found).toEqual(isKept ? [] : [known]);
});

test('an image expires after the time without use', () => {
  expect(isExpired({ image: 'a', id: 'x', lastUsed: NOW - 30 * DAY_MS }, settings, NOW)).toBe(false);
  expect(isExpired({ image: 'a', id: 'x', lastUsed: NOW - 30 * DAY_MS - 1 }, settings, NOW)).toBe(true);
});

test('for any images, none in use and none of the last hour is removable, and the oldest comes first', () => {
  const image = fc.record({
    image: fc.string(),
    id: fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined }),
    lastUsed: fc.integer({ min: 0, max: NOW }),
  });
  fc.assert(
    fc.property(fc.array(image), fc.subarray(['a', 'b', 'c']), (all: PulledImage[], used) => {
      const found = removableImages(all, new Set(used), settings, NOW);
      for (const { id, lastUsed } of found) {
        expect(used).not.toContain(id);
        expect(NOW - lastUsed).toBeGreaterThan(3_600_000);
      }
      expect(found.map(({ lastUsed }) => lastUsed)).toEqual(
        found.map((f) => f.lastUsed).sort((a, b) => a - b),
      );
      const others = all.filter((one) => !found.includes(one));
      expect(others.every(({ id, lastUsed }) => used.includes(id ?? '') || NOW - lastUsed <= 3_600_000)).toBe(
        true,
      );
    }),
  );
});
