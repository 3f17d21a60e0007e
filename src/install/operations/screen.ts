/** Shows progress: a line for each host, updated in place in a terminal, appended elsewhere. */

import type { ListrTask } from 'listr2';
import { Limit } from '../../hosts/limit.ts';
import { printable } from '../../text/printable.ts';

export interface HostLine {
  /**
   * Shows the present step, or the reason for waiting.
   * @param passing true if the next text comes soon; where lines are appended, only some of these get one
   */
  show(text: string, passing?: boolean): void;
}

export interface Screen {
  /** Show nothing, since standard output is for JSON. */
  readonly silent: boolean;
  /** True in a terminal, where elapsed times are updated continuously. */
  readonly terminal: boolean;
  /** True if the user may be asked questions. */
  readonly asks: boolean;
  /** Writes a message that doesn't belong to a step to standard error. */
  note(text: string): void;
}

const TICK_MS = 1000;
/** Where lines are appended, steps shorter than this get no line. */
const LINGER_MS = 1000;
/** Where lines are appended, passing texts get a line only after this time without one. */
const PASSING_MS = 10_000;
/** A request to all hosts that is shorter than this gets no line. */
const PATIENCE_MS = 1500;

/**
 * Does the work for all names concurrently. The result of `work` becomes the final text of its line. An error marks the
 * line as failed, and does not stop the other names; the caller reports it, once, when all have ended.
 */
export async function runConcurrently(
  screen: Screen,
  names: readonly string[],
  atOnce: number,
  work: (name: string, line: HostLine) => Promise<string>,
): Promise<void> {
  const { Listr } = await import('listr2');
  const tasks = names.map(
    (name): ListrTask => ({
      title: name,
      task: async (_context, task) => {
        const began = performance.now();
        const put = (text: string) => {
          // It may contain output of programs on the host.
          task.output = printable(text);
        };
        const line = screen.terminal ? liveLine(put, began) : appendedLine(put, name);
        try {
          task.title = `${name}: ${await work(name, line)} (${elapsed(began)})`;
        } catch {
          if (screen.terminal) task.title = `${name}: failed (${elapsed(began)})`;
          // listr2 shows `h1 [FAILED: after 3 s]` where lines are appended.
          throw new Error(`after ${elapsed(began)}`);
        } finally {
          line.end();
        }
      },
    }),
  );
  await new Listr(tasks, {
    concurrent: Math.max(1, atOnce),
    exitOnError: false,
    collectErrors: false,
    renderer: 'default',
    fallbackRenderer: 'simple',
    silentRendererCondition: screen.silent,
    registerSignalListeners: false,
    rendererOptions: { collapseErrors: false, showErrorMessage: false },
  }).run();
}

interface ProgressLine extends HostLine {
  end(): void;
}

/** A line that is redrawn with the elapsed time. */
function liveLine(put: (text: string) => void, began: number): ProgressLine {
  let shown = '';
  const draw = () => put(`${shown} (${elapsed(began)})`);
  const ticking = setInterval(() => shown && draw(), TICK_MS);
  return {
    show: (text) => {
      shown = text;
      draw();
    },
    end: () => clearInterval(ticking),
  };
}

/** A new line for each step that takes long; most of the many steps are short. */
function appendedLine(put: (text: string) => void, name: string): ProgressLine {
  let waiting: NodeJS.Timeout | undefined;
  let last = performance.now();
  const append = (text: string) => {
    put(`${name}: ${text}`);
    last = performance.now();
  };
  return {
    show: (text, passing = false) => {
      if (passing) {
        if (performance.now() - last >= PASSING_MS) append(text);
        return;
      }
      clearTimeout(waiting);
      waiting = setTimeout(append, LINGER_MS, text);
    },
    end: () => clearTimeout(waiting),
  };
}

/**
 * Does the work for all names concurrently, without a line for each. When it takes long, a note names the hosts that
 * have not answered yet.
 */
export async function askConcurrently<T>(
  screen: Screen | undefined,
  title: string,
  names: readonly string[],
  atOnce: number,
  work: (name: string) => Promise<T>,
): Promise<Map<string, T>> {
  const waiting = new Set(names);
  const found = new Map<string, T>();
  const limit = new Limit(Math.max(1, atOnce));
  const slow = setTimeout(
    () => screen?.note(`${title}: waiting for ${[...waiting].join(', ')}`),
    PATIENCE_MS,
  );
  try {
    await Promise.all(
      names.map(async (name) => {
        const leave = await limit.enter();
        try {
          found.set(name, await work(name));
        } finally {
          waiting.delete(name);
          leave();
        }
      }),
    );
  } finally {
    clearTimeout(slow);
  }
  return new Map(names.flatMap((name) => (found.has(name) ? [[name, found.get(name) as T]] : [])));
}

/** Formats the time since `began`: `0.6 s`, `12 s`, `2 min 3 s`. @param began from `performance.now()` */
export function elapsed(began: number): string {
  const seconds = (performance.now() - began) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  return rounded < 60 ? `${rounded} s` : `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}
