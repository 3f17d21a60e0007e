/** Limits how many callers work at the same time; the others queue. */

export class Limit {
  #most: number;
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param most Infinity for no limit */
  constructor(most: number) {
    this.#most = most;
  }

  get most(): number {
    return this.#most;
  }

  get active(): number {
    return this.#active;
  }

  /** Waits for a free place. @returns a function that frees the place; calling it twice is safe */
  async enter(): Promise<() => void> {
    while (this.#active >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#active++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#active--;
      this.#waiting.shift()?.();
    };
  }

  /** Lowers the limit; it never falls below 1. */
  lower(most: number): void {
    this.#most = Math.max(1, Math.min(this.#most, most));
  }
}
