import { execa } from 'execa';

/** Select Graphic Rendition: colours, and what else makes text look other than plain. */
const STYLE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The changes of style that a shell command prints in a terminal of many colours. */
export async function stylesOf(command: string, env: Record<string, string> = {}): Promise<string[]> {
  const { stdout } = await execa('script', ['-qefc', command, '/dev/null'], {
    stdin: 'ignore',
    reject: false,
    // A machine of a CI says so by CI, and Node then counts two colours.
    env: { TERM: 'xterm-256color', CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
    timeout: 60_000,
  });
  return stdout.match(STYLE) ?? [];
}
