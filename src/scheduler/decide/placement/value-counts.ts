/** Counts tasks by the value of a field, and tracks the smallest count. */
export class ValueCounts {
  readonly #counts: Map<string, number>;
  /** Number of values by their count of tasks. */
  readonly #values = new Map<number, number>();
  #least = 0;

  constructor(counts: ReadonlyMap<string, number> = new Map()) {
    this.#counts = new Map(counts);
    for (const count of counts.values()) {
      this.#values.set(count, (this.#values.get(count) ?? 0) + 1);
      this.#least = this.#least === 0 ? count : Math.min(this.#least, count);
    }
  }

  /** Number of values with tasks. */
  get size(): number {
    return this.#counts.size;
  }

  /** The smallest count; 0 if there are no tasks. */
  get least(): number {
    return this.#least;
  }

  of(value: string): number {
    return this.#counts.get(value) ?? 0;
  }

  add(value: string): void {
    const before = this.of(value);
    this.#counts.set(value, before + 1);
    this.#values.set(before + 1, (this.#values.get(before + 1) ?? 0) + 1);
    if (before === 0) {
      this.#least = 1;
      return;
    }
    this.#values.set(before, (this.#values.get(before) ?? 0) - 1);
    if (before === this.#least && this.#values.get(before) === 0) this.#least = before + 1;
  }
}
