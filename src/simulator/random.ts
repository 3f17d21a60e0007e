import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** From the least to the most of something. */
export type Span = readonly [least: number, most: number];

/** Random numbers that follow from a seed alone. */
export class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** In [0, 1). */
  fraction(): number {
    return uniformFloat64(this.#generator);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  /** A whole number, both ends inclusive. */
  integer(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  within([least, most]: Span): number {
    return least + this.fraction() * (most - least);
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.integer(0, list.length - 1)];
  }

  /** Milliseconds until what happens so often in a minute happens next. */
  wait(perMinute: number): number {
    return (-Math.log(1 - this.fraction()) * 60_000) / perMinute;
  }
}
