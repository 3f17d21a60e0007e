/** Splits chunks into lines. A chunk may end anywhere, even within a character. */

/** A longer line is passed on in pieces, so that a host that never ends a line can't fill the memory. */
const MAX_LINE = 1 << 20;

export class Lines {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) this.#onLine(line);
    if (this.#rest.length > MAX_LINE) this.#flush();
  }

  /** Ends the output: text after the last newline is a line too. */
  end(): void {
    this.#rest += this.#decoder.decode();
    this.#flush();
  }

  #flush(): void {
    const line = this.#rest;
    this.#rest = '';
    if (line !== '') this.#onLine(line);
  }
}
