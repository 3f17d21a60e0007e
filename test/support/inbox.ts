/** Values that arrive one by one, to be awaited. */
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

  /** What has arrived and was not taken. */
  get unread(): readonly Value[] {
    return this.#values;
  }
}
