/** The flag `-o` of commands that show something, and its output. */

import { Flags } from '@oclif/core';
import { printable, printableData } from '../../text/printable.ts';

export const OUTPUT_FORMATS = ['json', 'yaml', 'wide', 'name'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const outputFlag = Flags.option({
  char: 'o',
  options: OUTPUT_FORMATS,
  summary: 'The format: JSON, YAML, a table with all columns, or only the names. Default: a table.',
  helpValue: 'FORMAT',
})();

export interface Shown {
  /** For json and yaml. */
  readonly data: unknown;
  /** For name: one on each line. */
  readonly names: readonly string[];
  /** @param width of the terminal; undefined for no limit, in a pipe or with wide */
  readonly table: (options: { readonly width: number | undefined; readonly wide: boolean }) => string;
}

/** @returns the output in the format, without a line end */
export async function inFormat(format: OutputFormat | undefined, shown: Shown): Promise<string> {
  switch (format) {
    case 'json':
      return printableData(JSON.stringify(shown.data, null, 2));
    case 'yaml': {
      const { stringify } = await import('yaml');
      return printableData(stringify(shown.data).trimEnd());
    }
    case 'name':
      return shown.names.map(printable).join('\n');
    case 'wide':
      return shown.table({ width: undefined, wide: true });
    case undefined:
      return shown.table({ width: terminalWidth(), wide: false });
  }
}

/** @returns the columns of the terminal; undefined in a pipe, and on a terminal that does not know its size */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns || undefined : undefined;
}
