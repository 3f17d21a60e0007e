/** Schedules actions in virtual time, in a binary heap. Actions of the same time run in the order of scheduling. */
export class Agenda {
  readonly #heap: { at: number; order: number; act: () => void }[] = [];
  #order = 0;
  /** Milliseconds. */
  now: number;

  constructor(now: number) {
    this.now = now;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** @param ms delay from now */
  after(ms: number, act: () => void): void {
    this.at(this.now + Math.max(0, ms), act);
  }

  at(at: number, act: () => void): void {
    this.#order += 1;
    this.#heap.push({ at, order: this.#order, act });
    for (let i = this.#heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#swapIfEarlier(i, parent)) return;
      i = parent;
    }
  }

  /** Runs the next action. @returns false if there is none */
  step(): boolean {
    const [next] = this.#heap;
    const last = this.#heap.pop();
    if (!next || !last) return false;
    if (next !== last) {
      this.#heap[0] = last;
      this.#sink();
    }
    this.now = Math.max(this.now, next.at);
    next.act();
    return true;
  }

  #sink(): void {
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      const child = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(child, i)) return;
      i = child;
    }
  }

  #isEarlier(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    return a !== undefined && b !== undefined && (a.at < b.at || (a.at === b.at && a.order < b.order));
  }

  #swapIfEarlier(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    if (!a || !b || !this.#isEarlier(i, j)) return false;
    this.#heap[i] = b;
    this.#heap[j] = a;
    return true;
  }
}
