/** What people see while hosts are worked on: a line for each, live in a terminal, one by one elsewhere. */

import type { ListrTask } from 'listr2';
import { Limit } from '../../hosts/limit.ts';

export interface HostLine {
  /** What goes on there now; a reason for waiting belongs here too. */
  say(text: string): void;
}

export interface Screen {
  /** Nothing is shown, since standard output is for JSON. */
  readonly silent: boolean;
  /** Whether somebody looks on: then times go on while nothing else happens. */
  readonly terminal: boolean;
  /** Whether somebody may be asked. */
  readonly asks: boolean;
  /** For what doesn't belong to a step; on standard error. */
  note(text: string): void;
}

const TICK_MS = 1000;
/** What is over sooner isn't worth a line where lines stay. */
const LINGER_MS = 1000;
/** A question to all hosts that takes no longer isn't worth a line. */
const PATIENCE_MS = 1500;

/**
 * Does the work for each name side by side. What it answers is what the line says at last; what it throws marks the
 * line as failed and doesn't stop the others.
 */
export async function sideBySide(
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
          task.output = text;
        };
        const saying = screen.terminal ? live(put, began) : lingering(put, name);
        try {
          task.title = `${name}: ${await work(name, saying)} (${elapsed(began)})`;
        } finally {
          saying.end();
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
    rendererOptions: { collapseErrors: false, showErrorMessage: true },
  }).run();
}

interface Saying extends HostLine {
  end(): void;
}

/** One line that is drawn anew, with the time that goes by. */
function live(put: (text: string) => void, began: number): Saying {
  let saying = '';
  const show = () => put(`${saying} (${elapsed(began)})`);
  const ticking = setInterval(() => saying && show(), TICK_MS);
  return {
    say: (text) => {
      saying = text;
      show();
    },
    end: () => clearInterval(ticking),
  };
}

/** A line each, but only of what lasts: most steps are over at once, and there are many. */
function lingering(put: (text: string) => void, name: string): Saying {
  let waiting: NodeJS.Timeout | undefined;
  return {
    say: (text) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => put(`${name}: ${text}`), LINGER_MS);
    },
    end: () => clearTimeout(waiting),
  };
}

/**
 * The same without a line each, for what is mostly over at once: only when it takes long it is said on which of them
 * it waits.
 */
export async function quietly<T>(
  screen: Screen | undefined,
  what: string,
  names: readonly string[],
  atOnce: number,
  work: (name: string) => Promise<T>,
): Promise<Map<string, T>> {
  const waiting = new Set(names);
  const found = new Map<string, T>();
  const limit = new Limit(Math.max(1, atOnce));
  const slow = setTimeout(() => screen?.note(`${what}: waiting for ${[...waiting].join(', ')}`), PATIENCE_MS);
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

/** `0.6 s`, `12 s`, `2 min 3 s`. @param began by `performance.now()` */
export function elapsed(began: number): string {
  const seconds = (performance.now() - began) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
