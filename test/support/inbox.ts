/** A queue of values that tests can wait for. */
export class Inbox<Value> {
  readonly #values: Value[] = [];
  readonly #waiting: ((value: Value) => void)[] = [];

  readonly put = (value: Value): void => {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(value);
    else this.#values.push(value);
  };

  next(): Promise<Value> {
    const value = this.#values.shift();
    if (value !== undefined) return Promise.resolve(value);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The values that were not taken yet. */
  get unread(): readonly Value[] {
    return this.#values;
  }
}
