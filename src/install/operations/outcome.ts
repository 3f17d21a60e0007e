/** Describes the progress and the outcome of a run on a host. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { count } from '../../text/count.ts';
import type { RunOutcome } from '../edge/host-run.ts';
import type { RunLine } from '../logs/run-record.ts';
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

/**
 * Describes an event for the record of the run. Undefined for progress, for the end of a step, which the next one shows,
 * and for a failure, which `troubleOf` describes.
 */
export function recordOf(
  event: RunEvent,
  items: number,
  labels: readonly StepLabel[],
): Pick<RunLine, 'kind' | 'text'> | undefined {
  switch (event.event) {
    case 'begin':
      return { kind: 'note', text: `${count(event.items, 'change')}, as ${event.run}` };
    case 'start':
    case 'wait':
      return {
        kind: event.event === 'start' ? 'step' : 'wait',
        text: describe(event, items, labels) ?? '',
      };
    case 'log':
      return { kind: 'output', text: event.line };
    case 'left':
      return { kind: 'note', text: `packages left these accounts behind: ${event.accounts}` };
    case 'unrestored':
      return { kind: 'note', text: `not restored: ${event.packages}` };
    case 'end':
      return event.ok ? { kind: 'done', text: 'done' } : undefined;
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
