/** Merges the lines of several hosts, each of which sends them in the order of their times. */

interface Waiting<T> {
  readonly line: T;
  readonly at: number;
  /** When it arrived, in ms by any clock. */
  readonly arrived: number;
}

interface Source<T> {
  lines: Waiting<T>[];
  /** Index of the first line that was not taken. */
  next: number;
  /** The time of the last line. */
  last: number;
  ended: boolean;
}

/** Taken lines are removed from the memory in pieces of this size. */
const PIECE = 4096;

export class LineMerge<T> {
  readonly #sources: ReadonlyMap<string, Source<T>>;

  /** @param sources names of those that will send lines, until `end` */
  constructor(sources: readonly string[]) {
    this.#sources = new Map(sources.map((name) => [name, { lines: [], next: 0, last: 0, ended: false }]));
  }

  /** @param at the line's time; a line without one, or an earlier one, stays behind its source's line before */
  push(name: string, line: T, at: number | undefined, now: number): void {
    const source = this.#source(name);
    source.last = Math.max(at ?? 0, source.last);
    source.lines.push({ line, at: source.last, arrived: now });
  }

  /** The source sends no more. Its lines so far come out as any others. */
  end(name: string): void {
    this.#source(name).ended = true;
  }

  /**
   * Takes the lines, in the order of their times, that no earlier line can come before: as long as each source that has
   * not ended has a line waiting. A line that arrived before `since` does not wait for others.
   */
  take(since: number): T[] {
    const taken: T[] = [];
    for (;;) {
      const { first, complete } = this.#first();
      const head = first?.lines[first.next];
      if (first === undefined || head === undefined || (!complete && head.arrived >= since)) return taken;
      taken.push(head.line);
      first.next += 1;
      if (first.next === PIECE) {
        first.lines = first.lines.slice(PIECE);
        first.next = 0;
      }
    }
  }

  #first(): { first: Source<T> | undefined; complete: boolean } {
    let first: Source<T> | undefined;
    let least = Number.POSITIVE_INFINITY;
    let complete = true;
    for (const source of this.#sources.values()) {
      const head = source.lines[source.next];
      if (head === undefined) complete &&= source.ended;
      else if (head.at < least) {
        first = source;
        least = head.at;
      }
    }
    return { first, complete };
  }

  #source(name: string): Source<T> {
    const source = this.#sources.get(name);
    if (source === undefined) throw new TypeError(`there is no source ${name}`);
    return source;
  }
}
