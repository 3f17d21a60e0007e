/** Ends the record of a run with its outcome, and names the record in the run's errors. */

import { Interrupted, MesosupError } from '../../errors/mesosup-error.ts';
import type { Problem } from '../plan.ts';
import type { HostTrouble } from './outcome.ts';
import type { Session } from './session.ts';
import { UNHEALTHY } from './wait-healthy.ts';

export interface RecordedRun {
  /** Returns the command that shows the record of a run. */
  readonly logsCommand: (run: string) => string;
  /** Aborted when the program is interrupted. */
  readonly signal: AbortSignal;
}

interface Outcome {
  readonly problems: readonly Problem[];
  readonly troubles: readonly HostTrouble[];
  readonly leftOut: readonly string[];
}

/**
 * Runs the body, which begins the record when it begins to change hosts.
 * @returns the result with the id of the record, if there is one
 * @throws the error of the body; its remedy then names the command
 */
export async function recordRun<T extends Outcome>(
  { record }: Session,
  { logsCommand, signal }: RecordedRun,
  body: () => Promise<T>,
): Promise<T & { readonly run?: string }> {
  try {
    const result = await body();
    const { problems, troubles, leftOut } = result;
    // A host that failed has its line already.
    const rest = troubles.filter(({ failure }) => failure === 'turn' || failure === UNHEALTHY);
    const left = problems.filter(({ host }) => leftOut.includes(host));
    for (const { host, message, remedy } of [...left, ...rest])
      record.write({ host, kind: 'failed', text: message, remedy });
    const run = record.id;
    record.end(troubles.length > 0 || leftOut.length > 0 ? 'failed' : 'done');
    return { ...result, ...(run !== undefined && { run }) };
  } catch (error) {
    const run = record.id;
    if (run === undefined) throw error;
    // `Session.close` ends the record of a run that was interrupted.
    if (signal.aborted || !(error instanceof Error) || error instanceof Interrupted) throw error;
    const { host = '', remedy } = error instanceof MesosupError ? error : {};
    record.write({ host, kind: 'failed', text: error.message, remedy });
    record.end('failed');
    if (!(error instanceof MesosupError)) throw error;
    const hint = `What the run did and said on each host: ${logsCommand(run)}`;
    throw Object.assign(error, { remedy: remedy === undefined ? hint : `${remedy}  ${hint}` });
  }
}
