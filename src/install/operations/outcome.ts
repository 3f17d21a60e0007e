/** What became of a host in a run, in words. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import type { RunOutcome } from '../edge/host-run.ts';
import type { HostPlan } from '../plan.ts';
import type { RunEvent } from '../run-events.ts';

export interface HostTrouble {
  readonly host: string;
  /** A key: of `HostFailure` or of a `failed` event. */
  readonly failure: string;
  readonly message: string;
  readonly remedy: string;
}

/** Of a run that ended without success; undefined for one with. */
export function troubleOf(plan: HostPlan, outcome: RunOutcome): HostTrouble | undefined {
  if (outcome.ok) return undefined;
  const { host } = plan;
  if (!outcome.failed) {
    const message = 'the run ended without saying why';
    return { host, failure: 'lost', message, remedy: 'Run the same command again.' };
  }
  const { item, failure, remedy } = outcome.failed;
  const message = shorten(outcome.failed.message);
  const title = plan.items[item]?.title;
  return { host, failure, message: title === undefined ? message : `${title}: ${message}`, remedy };
}

/** Of an error about one host; undefined for others, which are defects. */
export function troubleFrom(host: string, error: unknown): HostTrouble | undefined {
  if (!(error instanceof MesosupError) || error.failure === undefined) return undefined;
  const { failure, message, remedy = '' } = error;
  return { host, failure, message, remedy };
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
    .map(({ host, message, remedy }) => {
      const where = message.startsWith(`${host}:`) ? '' : `${host}: `;
      return `✖ ${where}${message}${remedy === '' ? '' : `\n  → ${remedy}`}`;
    })
    .join('\n');
}
