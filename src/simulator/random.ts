import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Range of a value, inclusive. */
export type Span = readonly [least: number, most: number];

/** A random number generator that depends only on its seed. */
export class Random {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** @returns a number in [0, 1) */
  fraction(): number {
    return uniformFloat64(this.#generator);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability;
  }

  /** @returns an integer, both ends inclusive */
  integer(least: number, most: number): number {
    return uniformInt(this.#generator, least, most);
  }

  within([least, most]: Span): number {
    return least + this.fraction() * (most - least);
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list.length === 0 ? undefined : list[this.integer(0, list.length - 1)];
  }

  /** @returns milliseconds until the next event of a process with this rate */
  wait(perMinute: number): number {
    return (-Math.log(1 - this.fraction()) * 60_000) / perMinute;
  }
}
