/** Runs a command in a terminal and reads the screen at its end. */
import { createRequire } from 'node:module';
import { execa } from 'execa';

// The package declares an ES module, but its file is CommonJS.
const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof import('@xterm/headless');

/** A part of a line with one style. */
export interface Run {
  readonly text: string;
  /** One of the sixteen terminal colours; undefined for the default colour. */
  readonly colour?: number;
  readonly bold: boolean;
  readonly dim: boolean;
}
export type Line = readonly Run[];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * Runs a shell command in a pseudo-terminal (created by `script`) and passes its output to a terminal emulator.
 * @returns the lines of the final screen, without empty lines at the end
 * @throws Error with the output of a command that fails
 */
export async function shownBy(command: string, { columns, rows }: Size): Promise<Line[]> {
  const script = `stty cols ${columns} rows ${rows}; ${command}`;
  const { stdout, exitCode } = await execa('script', ['-qefc', script, '/dev/null'], {
    stdin: 'ignore',
    reject: false,
    env: { TERM: 'xterm-256color', CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined },
    timeout: 120_000,
  });
  if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}:\n${stdout}`);
  const terminal = new Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(stdout, resolve));
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: buffer.length }, (_, i) => lineAt(buffer, i, columns));
  while (lines.length > 0 && textOf(lines.at(-1) ?? []) === '') lines.pop();
  return lines;
}

export function textOf(line: Line): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd();
}

type Buffer = InstanceType<typeof Terminal>['buffer']['active'];

function lineAt(buffer: Buffer, index: number, columns: number): Line {
  const line = buffer.getLine(index);
  const runs: Run[] = [];
  for (let x = 0; x < columns; x += 1) {
    const cell = line?.getCell(x);
    if (!cell || cell.getWidth() === 0) continue;
    const style = {
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
      ...(cell.isFgPalette() && { colour: cell.getFgColor() }),
    };
    const text = cell.getChars() || ' ';
    const last = runs.at(-1);
    if (last && last.bold === style.bold && last.dim === style.dim && last.colour === style.colour) {
      runs[runs.length - 1] = { ...last, text: last.text + text };
    } else runs.push({ ...style, text });
  }
  const last = runs.at(-1);
  return last ? [...runs.slice(0, -1), { ...last, text: last.text.trimEnd() }] : [];
}
