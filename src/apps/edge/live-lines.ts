/** Shows lines that change: in place on a terminal, and otherwise each line when it is new. */

export class LiveLines {
  readonly #out: NodeJS.WriteStream;
  /** False on a terminal that can't move its cursor. */
  readonly #inPlace: boolean;
  #shown: readonly string[] = [];

  /** @param terminalType the value of TERM */
  constructor(out: NodeJS.WriteStream, terminalType?: string) {
    this.#out = out;
    this.#inPlace = out.isTTY && terminalType !== 'dumb';
  }

  /** Undefined if the lines don't go to a terminal, or one that does not know its size. */
  get width(): number | undefined {
    return this.#out.isTTY ? this.#out.columns || undefined : undefined;
  }

  update(lines: readonly string[]): void {
    if (this.#inPlace) {
      this.#erase();
      // More lines than the terminal has could not be replaced.
      const most = Math.max(1, (this.#out.rows || 24) - 2);
      const fitting = lines.slice(0, most);
      for (const line of fitting) this.#out.write(`${line}\n`);
      this.#shown = fitting;
      return;
    }
    for (const line of lines) if (!this.#shown.includes(line)) this.#out.write(`${line}\n`);
    this.#shown = lines;
  }

  /** Writes lines that stay, above the changing lines. */
  keep(text: string): void {
    const below = this.#shown;
    if (this.#inPlace) {
      this.#erase();
      this.#out.write(`${text}\n`);
      this.update(below);
    } else this.#out.write(`${text}\n`);
  }

  /** Leaves the lines as they are. */
  finish(): void {
    this.#shown = [];
  }

  #erase(): void {
    if (this.#shown.length > 0) this.#out.write(`\u001b[${this.#shown.length}A\u001b[J`);
    this.#shown = [];
  }
}
