/** Cuts long work into slices, so that other work of this process goes on in between. */

import { setImmediate } from 'node:timers/promises';

const SLICE_MS = 2;

export class Pace {
  #until = performance.now() + SLICE_MS;

  /** Call it after each small part of the work. Lets other work go on once a slice has lasted long enough. */
  async pause(): Promise<void> {
    if (performance.now() < this.#until) return;
    await setImmediate();
    this.#until = performance.now() + SLICE_MS;
  }
}
