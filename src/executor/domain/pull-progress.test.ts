import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { afterLine, describePull, type Layers, type PullLine } from './pull-progress.ts';

const describeLines = (...lines: PullLine[]) =>
  describePull('web:1', lines.reduce(afterLine, new Map() as Layers));
const downloading = (id: string, current: number, total: number) => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total },
});

describe('the progress of a pull', () => {
  test('is unknown before the first layer', () => {
    expect(describeLines({ id: '1', status: 'Pulling from library/web' })).toBeUndefined();
    expect(describeLines({ status: 'Status: Image is up to date for web:1' })).toBeUndefined();
  });

  test('has no share while the size of a layer is unknown', () => {
    const lines = [{ id: 'a', status: 'Waiting' }, downloading('b', 4_000_000, 9_000_000)];
    expect(describeLines(...lines)).toBe('Pulling web:1: 4.0 MB, 0 of 2 layers done');
  });

  test('reports the share of all layers, and counts layers that were present as done', () => {
    expect(
      describeLines(
        { id: 'a', status: 'Already exists' },
        downloading('b', 4_000_000, 10_000_000),
        downloading('c', 10_000_000, 30_000_000),
        { id: 'b', status: 'Extracting', progressDetail: { current: 1, total: 10_000_000 } },
      ),
    ).toBe('Pulling web:1: 20 MB of 40 MB (50%), 1 of 3 layers done');
  });

  test('begins a layer again after a failed download', () => {
    const retrying = { id: 'a', status: 'Retrying in 5 seconds' };
    expect(describeLines(downloading('a', 3e6, 5e6), retrying)).toBe(
      'Pulling web:1: 0.0 MB of 5.0 MB (0%), 0 of 1 layers done',
    );
  });

  test('never exceeds 100% for the lines that Docker sends', () => {
    const line = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      status: fc.constantFrom('Waiting', 'Downloading', 'Download complete', 'Extracting', 'Pull complete'),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const sizes = { a: 1000, b: 3_000_000, c: 70_000_000 } as Record<string, number>;
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = describeLines(
          ...lines.map(({ id, status, share }) => {
            const total = sizes[id] ?? 0;
            return { id, status, progressDetail: { current: Math.floor(share * total), total } };
          }),
        );
        const [, percent = '0'] = /\((\d+)%\)/.exec(text ?? '') ?? [];
        expect(Number(percent)).toBeLessThanOrEqual(100);
      }),
    );
  });
});
