/** Describes the progress and the outcome of a run on a host. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import type { RunOutcome } from '../edge/host-run.ts';
import type { HostPlan } from '../plan.ts';
import type { RunEvent } from '../run-events.ts';
import type { StepLabel } from '../step-groups.ts';

export interface HostTrouble {
  readonly host: string;
  /** A key: of `HostFailure` or of a `failed` event. */
  readonly failure: string;
  readonly message: string;
  readonly remedy: string;
}

/** Returns the trouble of a failed run, undefined for a successful one. */
export function troubleOf(plan: HostPlan, outcome: RunOutcome): HostTrouble | undefined {
  if (outcome.ok) return undefined;
  const { host } = plan;
  if (!outcome.failed) {
    const message = 'the run failed without reporting a reason';
    return { host, failure: 'lost', message, remedy: 'Run the same command again.' };
  }
  const { item, failure, remedy } = outcome.failed;
  const message = shorten(outcome.failed.message);
  const title = plan.items[item]?.title;
  return { host, failure, message: title === undefined ? message : `${title}: ${message}`, remedy };
}

/** Returns the trouble of an error about one host; undefined for any other error, which is a bug. */
export function troubleFrom(host: string, error: unknown): HostTrouble | undefined {
  if (!(error instanceof MesosupError) || error.failure === undefined) return undefined;
  const { failure, message, remedy = '' } = error;
  return { host, failure, message, remedy };
}

/**
 * Describes the progress that an event reports: `3/14 /etc/mesos/zk: create`. Undefined when there is none.
 * @param labels of the plan's items, in order; empty for a run that another mesosup started
 */
export function describe(event: RunEvent, items: number, labels: readonly StepLabel[]): string | undefined {
  if (!('item' in event)) return undefined;
  const label = labels[event.item];
  const first = event.item + 1;
  const numbers = label && label.last > event.item ? `${first}–${label.last + 1}` : `${first}`;
  const where = `${numbers}/${items}${label === undefined ? '' : ` ${label.title}`}`;
  switch (event.event) {
    case 'start':
      return where;
    case 'progress':
      return `${where}: ${shorten(event.text)}, ${event.percent} %`;
    case 'wait':
      return `${where}: waiting: ${event.reason}`;
    case 'failed':
      return `${where}: ${shorten(event.message).split('\n')[0]}`;
    default:
      return undefined;
  }
}

const MOST_LINES = 12;
const MOST_COLUMNS = 200;

/** Shortens the output of a program: keeps the first line and the last lines, and cuts long lines. */
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
