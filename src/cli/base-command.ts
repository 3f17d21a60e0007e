/** What all commands have in common. */
import { Command, type Interfaces } from '@oclif/core';

export abstract class BaseCommand extends Command {
  /** For whoever watches. */
  protected progress(message: string): void {
    if (process.stderr.isTTY && !this.jsonEnabled()) this.logToStderr(message);
  }

  /** Left to the program's beginning, which shows every error in the same way. */
  protected override async catch(error: Interfaces.CommandError): Promise<never> {
    throw error;
  }
}
