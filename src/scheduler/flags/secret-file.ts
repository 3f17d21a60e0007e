import { readFileSync } from 'node:fs';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { FlagName } from './flag-table.ts';

/** Reads a file that a flag names, without the line end at its end. @throws UsageError */
export function secretFrom(flag: FlagName, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new UsageError(
      `--${flag} can't be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
