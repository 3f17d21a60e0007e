/** A timer that stands still until the test says so. */

import type { Timer } from '../../src/mesos/retry.ts';

export class ManualTimer {
  #pending: { ms: number; run: () => void }[] = [];

  readonly timer: Timer = (ms, run) => {
    const entry = { ms, run };
    this.#pending.push(entry);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry);
    };
  };

  /** The waits under way, in milliseconds, in the order they were begun. */
  get waits(): number[] {
    return this.#pending.map((entry) => entry.ms);
  }

  /** Lets the shortest wait pass. */
  fire(): void {
    const next = this.#pending.reduce((a, b) => (b.ms < a.ms ? b : a));
    this.#pending = this.#pending.filter((other) => other !== next);
    next.run();
  }
}
