/** Reads the logs of services from many hosts at the same time, in the order of their times. */

import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from '../../hosts/host.ts';
import { parseServiceLine, type ServiceLine } from '../logs/log-line.ts';
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
}

/** How long a new line waits for earlier ones of other hosts, in ms. */
const PATIENCE_MS = 500;
const TICK_MS = 200;
/** Pause before a lost host is tried again. */
const RETRY_MS = 2000;

/** @returns a problem for each host whose log could not be read to its end; none while following */
export async function readLogs(session: Session, options: ReadLogsOptions): Promise<Problem[]> {
  const { hosts, follow, signal, onLines } = options;
  const merge = new LineMerge<HostLine>(hosts);
  const lost: Problem[] = [];
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
          await readHost(session, host, merge, options);
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          lost.push(problemOf(error));
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

/** Reads a host's log; while it is followed, goes on after the last line when the connection was lost. */
async function readHost(
  session: Session,
  host: string,
  merge: LineMerge<HostLine>,
  { services, tail, since, follow, signal, onNote }: ReadLogsOptions,
): Promise<void> {
  let cursor: string | undefined;
  let begun = false;
  let isAway = false;
  const onLine = (text: string) => {
    const line = parseServiceLine(text);
    if (line === undefined) return;
    if (isAway) onNote(`${host}: connected again`);
    isAway = false;
    begun = true;
    // Lines of Upstart's files have no cursor: after a lost connection, only new ones are read.
    cursor = line.cursor ?? 'none';
    merge.push(host, { ...line, host }, line.at, performance.now());
  };
  for (;;) {
    const script = logsScript(session.scripts, { services, tail, since, follow, cursor });
    try {
      const { code, stderr } = await session.host(host).run(script, { onLine, signal });
      if (!follow) {
        if (code === 0 || begun) return;
        throw unreadable(host, stderr);
      }
      if (!begun) throw unreadable(host, stderr);
    } catch (error) {
      if (signal.aborted) return;
      // Before the first line, the host may be wrong: that is no reason to wait for it.
      if (!(error instanceof HostError && follow && begun)) throw error;
      if (!isAway) onNote(`${error.message}; trying again`);
      isAway = true;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
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
