/** What became of a host in a run, in words. */

import { HostError } from '../../../hosts/host.ts';
import type { HostPlan } from '../../plan.ts';
import type { RunEvent } from '../../run-events.ts';
import { RunBusyError, RunLostError, type RunOutcome } from '../run.ts';

export interface HostTrouble {
  readonly host: string;
  /** A key: of `HostFailure` or of a `failed` event. */
  readonly failure: string;
  readonly message: string;
  readonly mend: string;
}

/** Of a run that ended without success; undefined for one with. */
export function troubleOf(plan: HostPlan, outcome: RunOutcome): HostTrouble | undefined {
  if (outcome.ok) return undefined;
  const { host } = plan;
  if (!outcome.failed) {
    const message = 'the run ended without saying why';
    return { host, failure: 'lost', message, mend: 'Run the same command again.' };
  }
  const { item, failure, mend } = outcome.failed;
  const message = shorten(outcome.failed.message);
  const title = plan.items[item]?.title;
  return { host, failure, message: title === undefined ? message : `${title}: ${message}`, mend };
}

/** Of an error about one host; undefined for others, which are defects. */
export function troubleFrom(host: string, error: unknown): HostTrouble | undefined {
  if (error instanceof HostError) {
    return { host, failure: error.failure, message: error.message, mend: error.mend };
  }
  if (error instanceof RunBusyError) {
    return { host, failure: 'busy', message: error.message, mend: error.mend };
  }
  if (error instanceof RunLostError) {
    return { host, failure: 'lost', message: error.message, mend: error.mend };
  }
  return undefined;
}

/**
 * What an event says of where a run is: `3/14 package docker.io: install`. Undefined when it says nothing new.
 * @param titles of the plan's items, in order; of a run that somebody else began they are not known
 */
export function describe(event: RunEvent, items: number, titles: readonly string[]): string | undefined {
  if (!('item' in event)) return undefined;
  const where = `${event.item + 1}/${items}${titles[event.item] === undefined ? '' : ` ${titles[event.item]}`}`;
  switch (event.event) {
    case 'start':
      return where;
    case 'wait':
      return `${where}: waits, ${event.reason}`;
    case 'failed':
      return `${where}: ${shorten(event.message).split('\n')[0]}`;
    default:
      return undefined;
  }
}

const MOST_LINES = 12;
const MOST_COLUMNS = 200;

/** What programs wrote can be of any length: its first line, its last, and none too long. */
export function shorten(text: string): string {
  const lines = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => (line.length <= MOST_COLUMNS ? line : `${line.slice(0, MOST_COLUMNS)}…`));
  if (lines.length <= MOST_LINES) return lines.join('\n');
  return [lines[0], '…', ...lines.slice(2 - MOST_LINES)].join('\n');
}

export function renderTroubles(troubles: readonly HostTrouble[]): string {
  return troubles
    .map(({ host, message, mend }) => {
      const where = message.startsWith(`${host}:`) ? '' : `${host}: `;
      return `✖ ${where}${message}${mend === '' ? '' : `\n  → ${mend}`}`;
    })
    .join('\n');
}
