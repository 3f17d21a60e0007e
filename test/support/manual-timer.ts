/** A timer that only fires when the test calls `fire`. */

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

  /** The pending waits in milliseconds, in the order of their start. */
  get waits(): number[] {
    return this.#pending.map((entry) => entry.ms);
  }

  /** Ends the shortest wait. */
  fire(): void {
    const next = this.#pending.reduce((a, b) => (b.ms < a.ms ? b : a));
    this.#pending = this.#pending.filter((other) => other !== next);
    next.run();
  }
}
