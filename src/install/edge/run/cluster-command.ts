/** What the installer's commands have in common: how they end, and how they say why. */

import { Command, type Interfaces } from '@oclif/core';
import { HostError } from '../../../hosts/host.ts';
import { Defect } from '../../../text/defect.ts';

/** Exit codes: 0 done, 1 failed, 2 usage, 3 changes pending, 130 interrupted. */
export const EXIT = { failed: 1, usage: 2, changes: 3, interrupted: 130 } as const;

/** The command can't be done as it was given. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Something failed that has a mend; `host` when it concerns one. */
export class RunError extends Error {
  override name = 'RunError';
  readonly mend: string;

  constructor(message: string, mend: string, cause?: unknown) {
    super(message, { cause });
    this.mend = mend;
  }
}

/** Ctrl-C, or a signal to end. What there is to say was said. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

const USAGE = new Set(['UsageError', 'HostOptionsError', 'SpecFileError']);
/** Prompts of inquirer end so on Ctrl-C. */
const INTERRUPTIONS = new Set(['Interrupted', 'ExitPromptError', 'AbortPromptError']);

export abstract class ClusterCommand extends Command {
  /**
   * Errors as two lines, what happened and what to do next; those of the command line as oclif shows them.
   * @throws Defect for an error that nobody expected, which the program's beginning reports
   */
  protected override async catch(error: Interfaces.CommandError): Promise<unknown> {
    if (error.oclif !== undefined) return super.catch(error);
    const { name, message } = error;
    const mend = 'mend' in error && typeof error.mend === 'string' ? error.mend : '';
    if (mend === '' && !USAGE.has(name) && !INTERRUPTIONS.has(name)) throw new Defect(error);
    process.exitCode = INTERRUPTIONS.has(name)
      ? EXIT.interrupted
      : USAGE.has(name)
        ? EXIT.usage
        : EXIT.failed;
    if (this.jsonEnabled()) {
      const host = error instanceof HostError ? { host: error.host, failure: error.failure } : {};
      this.logJson({ error: { name, message, ...(mend && { mend }), ...host } });
    } else if (!INTERRUPTIONS.has(name)) {
      this.logToStderr(message);
      if (mend) this.logToStderr(`→ ${mend}`);
    } else if (message) this.logToStderr(message);
    // Whatever is still open, such as a line that is drawn anew, must not hold an interrupted program.
    if (process.exitCode === EXIT.interrupted) process.exit();
    return undefined;
  }
}
