/** The base class of all commands. */
import { Command, type Interfaces } from '@oclif/core';
import { printableLines } from '../text/printable.ts';
import { usageErrorOf } from './usage/parse-errors.ts';

export abstract class BaseCommand extends Command {
  /** Writes to standard error, on a terminal only. */
  protected progress(message: string): void {
    if (process.stderr.isTTY && !this.jsonEnabled()) this.logToStderr(message);
  }

  /** Texts may contain messages of hosts, schedulers and programs. */
  override log(message = '', ...args: unknown[]): void {
    super.log(printableLines(message), ...args);
  }

  override logToStderr(message = '', ...args: unknown[]): void {
    super.logToStderr(printableLines(message), ...args);
  }

  /**
   * Arguments have `ignoreStdin`, since oclif would read the values of missing ones from standard input.
   * @throws UsageError that names the flag or argument, and what to write instead
   */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    try {
      return await super.parse<F, B, A>(options, argv);
    } catch (error) {
      const { flags, baseFlags, args, examples = [], enableJsonFlag } = this.ctor;
      const known = {
        name: `${this.config.bin} ${(this.id ?? '').replaceAll(':', ' ')}`,
        flags: { ...baseFlags, ...flags, help: { char: 'h' }, ...(enableJsonFlag && { json: {} }) },
        args,
        examples: examples.map((example) =>
          (typeof example === 'string' ? example : example.command).replaceAll(
            '<%= config.bin %>',
            this.config.bin,
          ),
        ),
      };
      throw usageErrorOf(error, known) ?? error;
    }
  }

  /** Rethrows, so that `main.ts` shows every error in the same way. */
  protected override async catch(error: Interfaces.CommandError): Promise<never> {
    throw error;
  }
}
