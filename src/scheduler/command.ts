/** What the commands around a scheduler have in common: what they read, and how they say why they can't. */

import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { Command, type Interfaces } from '@oclif/core';
import { Defect } from '../text/defect.ts';

const USAGE = 2;
const EXITS: Readonly<Record<string, number>> = {
  PlaceError: USAGE,
  UsageError: USAGE,
  BackupError: 1,
  StoreError: 1,
  ImportError: 1,
};

/** The arguments make no sense together. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** As messages call a FILE argument. */
export function nameOf(file: string): string {
  return file === '-' ? 'the standard input' : file;
}

/** A FILE argument's content; `-` is the standard input. @throws UsageError */
export async function contentOf(file: string): Promise<Buffer> {
  return (file === '-' ? buffer(process.stdin) : readFile(file)).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new UsageError(`${nameOf(file)} can't be read: ${why}`);
  });
}

export abstract class SchedulerCommand extends Command {
  /** For whoever watches. */
  protected progress(message: string): void {
    if (process.stderr.isTTY && !this.jsonEnabled()) this.logToStderr(message);
  }

  /** @throws Defect for an error that nobody expected, which the program's beginning reports */
  protected override async catch(error: Interfaces.CommandError): Promise<unknown> {
    if (error.oclif !== undefined) return super.catch(error);
    const { name, message } = error;
    const exit = EXITS[name];
    if (exit === undefined) throw new Defect(error);
    process.exitCode = exit;
    if (this.jsonEnabled()) this.logJson({ error: { name, message } });
    else this.logToStderr(message);
    return undefined;
  }
}
