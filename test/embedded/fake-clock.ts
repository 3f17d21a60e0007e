/** A clock that only advances when a test advances it. */

import type { Timer } from '../../src/mesos/retry.ts';

export class FakeClock {
  /** Milliseconds since the epoch. */
  now = 1_800_000_000_000;
  #timers: { at: number; run: () => void }[] = [];

  readonly timer: Timer = (ms, run) => {
    const entry = { at: this.now + ms, run };
    this.#timers.push(entry);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== entry);
    };
  };

  /** Advances the time and runs due timers in order. */
  advance(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.now = Math.max(this.now, due.at);
      due.run();
    }
    this.now = end;
  }

  /** Runs the timers that are due now. */
  settle(): void {
    this.advance(0);
  }
}
