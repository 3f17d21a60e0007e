/** Formats the output of tasks as lines that name their task. */

import { printableLine, printableWithoutColours } from '../text/printable.ts';

export type Stream = 'stdout' | 'stderr';

/** A complete line of a task's output, without its end. */
export interface LogLine {
  readonly task: string;
  readonly stream: Stream;
  readonly text: string;
}

/** A program may write without any line end. */
const MAX_LINE = 16 << 20;

/** Joins the pieces of a task's output to lines. */
export class LineSplitter {
  readonly #rest: Record<Stream, string> = { stdout: '', stderr: '' };
  readonly #maxLine: number;

  /** @param maxLine characters after which a line without an end is passed on as it is */
  constructor(maxLine = MAX_LINE) {
    this.#maxLine = maxLine;
  }

  push(stream: Stream, text: string): string[] {
    // Only the new text is searched: the rest may be long.
    const [first = '', ...others] = text.split('\n');
    const lines = [this.#rest[stream] + first, ...others];
    this.#rest[stream] = (lines.at(-1)?.length ?? 0) > this.#maxLine ? '' : (lines.pop() ?? '');
    return lines.map((line) => line.replace(/\r$/, ''));
  }

  /** @returns the last line of a stream, if it has no end */
  endOf(stream: Stream): string[] {
    const text = this.#rest[stream];
    this.#rest[stream] = '';
    return text === '' ? [] : [text.replace(/\r$/, '')];
  }

  /** @returns the last lines, which have no end */
  end(): { readonly stream: Stream; readonly text: string }[] {
    return (['stdout', 'stderr'] as const).flatMap((stream) =>
      this.endOf(stream).map((text) => ({ stream, text })),
    );
  }
}

/**
 * A short name of a task, unique among the tasks of an app:
 * `web.instance-01a229d6-a3be-8000-8000-000100000001._app.2` is `web.100000001.2`.
 */
export function taskLabel(id: string): string {
  const match = /^(.*)\.instance-[\da-f-]*?-?0*([\da-f]{1,12})\._app\.(\d+)$/.exec(id);
  if (!match) return id;
  const [, name = '', instance = '', incarnation = ''] = match;
  const short = name.split('_').at(-1) ?? name;
  return incarnation === '1' ? `${short}.${instance}` : `${short}.${instance}.${incarnation}`;
}

/** Cyan, yellow, green, magenta, blue, and the bright ones: readable on black and on white. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

export interface LineStyle {
  readonly colour: boolean;
  /** False: only the text, for a single task. */
  readonly prefix: boolean;
  /** True: control characters are shown instead of sent. */
  readonly terminal: boolean;
}

/** Formats lines; the same task has always the same colour. */
export class LineFormat {
  readonly #style: LineStyle;
  readonly #colours = new Map<string, number>();
  #width = 0;

  constructor(style: LineStyle) {
    this.#style = style;
  }

  /** `web.1 | text`, and `web.1 ! text` for stderr. */
  format({ task, stream, text }: LogLine): string {
    const { colour, prefix, terminal } = this.#style;
    const asShown = colour ? printableLine : printableWithoutColours;
    const shown = terminal ? asShown(text) : text;
    if (!prefix) return shown;
    const label = taskLabel(task);
    this.#width = Math.max(this.#width, label.length);
    const start = `${label.padEnd(this.#width)} ${stream === 'stderr' ? '!' : '|'}`;
    if (!colour) return `${start} ${shown}`;
    // The text's own colours must not reach the next line.
    return `\u001b[${this.#colourOf(task)}m${start}\u001b[0m ${shown}\u001b[0m`;
  }

  #colourOf(task: string): number {
    const known = this.#colours.get(task);
    if (known !== undefined) return known;
    const colour = COLOURS[this.#colours.size % COLOURS.length] ?? 0;
    this.#colours.set(task, colour);
    return colour;
  }
}
