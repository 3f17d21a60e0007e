/** Reads a stream of server-sent events. Source: WHATWG HTML, section 9.2. */

export interface ServerSentEvent {
  /** `message` if the stream names no type. */
  readonly type: string;
  readonly data: string;
  /** The id with which a stream resumes; empty if the stream has none yet. */
  readonly id: string;
}

/** Decodes events for any chunk sizes. */
export class EventDecoder {
  #rest = '';
  #type = '';
  #data: string[] = [];
  #id = '';
  #lastId = '';

  /** The id with which the stream resumes; empty if there is none yet. It may come before the first event. */
  get lastId(): string {
    return this.#lastId;
  }

  push(text: string): ServerSentEvent[] {
    const all = this.#rest + text;
    // A carriage return at the end may be the first half of a line end.
    const end = all.endsWith('\r') ? all.length - 1 : all.length;
    const lines = all.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? '') + all.slice(end);
    return lines.flatMap((line) => this.#take(line));
  }

  #take(line: string): ServerSentEvent[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
    return [];
  }

  #dispatch(): ServerSentEvent[] {
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    this.#lastId = this.#id;
    const hasData = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    return hasData ? [event] : [];
  }
}
