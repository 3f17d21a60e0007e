/** Reads the logs of services from many hosts at the same time, in the order of their times. */

import { setTimeout as sleep } from 'node:timers/promises';
import { HostError, type HostFailure } from '../../hosts/host.ts';
import { parseBeginning, parseServiceLine, type ServiceLine } from '../logs/log-line.ts';
import { LineMerge } from '../logs/merge.ts';
import type { Problem } from '../plan.ts';
import { type LogsRequest, logsScript } from '../script/logs-script.ts';
import { askConcurrently } from './screen.ts';
import { problemOf, type Session } from './session.ts';

export interface HostLine extends ServiceLine {
  readonly host: string;
}

export interface ReadLogsOptions extends Omit<LogsRequest, 'cursor'> {
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly HostLine[]) => void;
  /** Called when the connection to a host is lost or back while its log is followed. */
  readonly onNote: (text: string) => void;
  /** Pause in ms before a lost host is tried again. Default: 2 s. */
  readonly retryMs?: number;
}

/** How long a new line waits for earlier ones of other hosts, in ms. */
const PATIENCE_MS = 500;
const TICK_MS = 200;
const RETRY_MS = 2000;

/** @returns a problem for each host whose log could not be read; of a followed one, when all hosts have failed */
export async function readLogs(session: Session, options: ReadLogsOptions): Promise<Problem[]> {
  const { hosts, follow, signal, onLines, onNote } = options;
  const merge = new LineMerge<HostLine>(hosts);
  const lost: Problem[] = [];
  const reached = new FirstConnection(hosts.length);
  const flush = (since: number) => {
    const lines = merge.take(since);
    if (lines.length > 0) onLines(lines);
  };
  const ticking = setInterval(() => flush(follow ? performance.now() - PATIENCE_MS : 0), TICK_MS);
  try {
    await askConcurrently(
      undefined,
      '',
      hosts,
      follow ? Number.POSITIVE_INFINITY : session.atOnce,
      async (host) => {
        try {
          await (follow
            ? followHost(session, host, merge, reached, options)
            : readHost(session, host, merge, options));
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          lost.push(problemOf(error));
          void reached.failed(host);
          if (follow && lost.length < hosts.length) onNote(`${error.message}\n→ ${error.remedy}`);
        } finally {
          merge.end(host);
        }
      },
    );
    if (!signal.aborted) flush(0);
  } finally {
    clearInterval(ticking);
  }
  return lost;
}

/** Tells hosts that can't be reached if another one was: only then it is worth waiting for them. */
class FirstConnection {
  readonly #first = Promise.withResolvers<boolean>();
  readonly #failed = new Set<string>();
  readonly #hosts: number;

  constructor(hosts: number) {
    this.#hosts = hosts;
  }

  connected(): void {
    this.#first.resolve(true);
  }

  /** @returns true as soon as a host is connected, false when all have failed */
  failed(host: string): Promise<boolean> {
    this.#failed.add(host);
    if (this.#failed.size === this.#hosts) this.#first.resolve(false);
    return this.#first.promise;
  }
}

/** Reads a host's log to its end. */
async function readHost(
  session: Session,
  host: string,
  merge: LineMerge<HostLine>,
  { services, tail, since, signal }: ReadLogsOptions,
): Promise<void> {
  let begun = false;
  const onLine = (text: string) => {
    const line = parseServiceLine(text);
    if (line === undefined) return;
    begun = true;
    merge.push(host, { ...line, host }, line.at, performance.now());
  };
  const script = logsScript(session.scripts, { services, tail, since, follow: false });
  try {
    const { code, stderr } = await session.host(host).run(script, { onLine, signal });
    if (code !== 0 && !begun) throw unreadable(host, stderr);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const AWAY: readonly string[] = ['lost', 'unreachable'] satisfies HostFailure[];

/** Follows a host's log. When the connection is lost, or can't be made yet, goes on after the last line. */
async function followHost(
  session: Session,
  host: string,
  merge: LineMerge<HostLine>,
  reached: FirstConnection,
  { services, tail, since, signal, onNote, retryMs = RETRY_MS }: ReadLogsOptions,
): Promise<void> {
  /** The host's time at the first connection. Without a line since, those from then on are new. */
  let from: number | undefined;
  let cursor: string | undefined;
  let isAway = false;
  const onLine = (text: string) => {
    const now = parseBeginning(text);
    if (now !== undefined) {
      reached.connected();
      if (isAway) onNote(`${host}: connected again`);
      isAway = false;
      from ??= now;
      // Upstart's files have no cursors: after a lost connection, only new lines are read.
      if (now === 0) cursor = 'none';
      return;
    }
    const line = parseServiceLine(text);
    if (line === undefined) return;
    cursor = line.cursor ?? 'none';
    merge.push(host, { ...line, host }, line.at, performance.now());
  };
  for (;;) {
    const rest = from === undefined ? { tail, since } : { since: from };
    const script = logsScript(session.scripts, {
      services,
      ...rest,
      cursor: from === undefined ? undefined : cursor,
      follow: true,
    });
    const { error, stderr } = await session
      .host(host)
      .run(script, { onLine, signal })
      .then(
        (result) => ({ stderr: result.stderr, error: undefined }),
        (error: unknown) => ({ stderr: '', error }),
      );
    if (signal.aborted) return;
    if (error === undefined) {
      if (cursor === undefined) throw unreadable(host, stderr);
    } else {
      if (!(error instanceof HostError)) throw error;
      const mayReturn = from !== undefined || (AWAY.includes(error.failure) && (await reached.failed(host)));
      if (!mayReturn) throw error;
      if (!isAway) onNote(`${error.message}; trying again`);
      isAway = true;
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
  }
}

function unreadable(host: string, stderr: string): HostError {
  const message = `${host}: its logs can't be read: ${stderr.trim().slice(-500) || 'the program that prints them ended'}`;
  return new HostError(
    host,
    'login',
    message,
    `See what it says there: mesosup node ssh ${host} -- journalctl -n 5`,
  );
}
