/** Metrics over the time that the page has been open (pure). */

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly values: Readonly<Record<string, number>>;
}

/** An hour, with a sample every 5 s. */
const MAX_SAMPLES = 720;

export function withSample(before: readonly Sample[], sample: Sample): readonly Sample[] {
  return [...before, sample].slice(-MAX_SAMPLES);
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Plot {
  readonly points: readonly Point[];
  readonly min: number;
  readonly max: number;
  readonly last: number | undefined;
}

/** Scales a metric to a picture of this size; y counts downwards. The lowest value is 0 at most. */
export function plotOf(samples: readonly Sample[], name: string, width: number, height: number): Plot {
  const known = samples.flatMap(({ at, values }) => {
    const value = values[name];
    return value === undefined ? [] : [{ at, value }];
  });
  const all = known.map(({ value }) => value);
  const min = Math.min(0, ...all);
  const max = Math.max(...all, 0);
  const first = known[0]?.at ?? 0;
  const span = Math.max(1, (known.at(-1)?.at ?? 0) - first);
  const range = max - min || 1;
  const points = known.map(({ at, value }) => ({
    x: ((at - first) / span) * width,
    y: height - ((value - min) / range) * height,
  }));
  return { points, min, max, last: all.at(-1) };
}
