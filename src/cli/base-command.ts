/** The base class of all commands. */
import { Command, type Interfaces } from '@oclif/core';

export abstract class BaseCommand extends Command {
  /** Writes to standard error, on a terminal only. */
  protected progress(message: string): void {
    if (process.stderr.isTTY && !this.jsonEnabled()) this.logToStderr(message);
  }

  /** Rethrows, so that `main.ts` shows every error in the same way. */
  protected override async catch(error: Interfaces.CommandError): Promise<never> {
    throw error;
  }
}
