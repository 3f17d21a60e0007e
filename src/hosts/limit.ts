/** At most so many at once; the others wait in line. */

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

  /** Gives a place once there is one; what it answers gives the place back, and may be called twice. */
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

  /** For when less turns out to be allowed. */
  lower(most: number): void {
    this.#most = Math.max(1, Math.min(this.#most, most));
  }
}
