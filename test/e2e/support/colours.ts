import { execa } from 'execa';

/** Select Graphic Rendition: colours and other text styles. */
export const STYLE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** The style sequences that a shell command prints in a terminal with many colours. */
export async function stylesOf(command: string, env: Record<string, string> = {}): Promise<string[]> {
  return (await shownBy(command, env)).match(STYLE) ?? [];
}

/** What a shell command prints in a terminal with many colours, with all control sequences. */
export async function shownBy(command: string, env: Record<string, string> = {}): Promise<string> {
  const { stdout } = await execa('script', ['-qefc', command, '/dev/null'], {
    stdin: 'ignore',
    reject: false,
    // With the variable CI, Node assumes two colours.
    env: { TERM: 'xterm-256color', CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
    timeout: 60_000,
  });
  return stdout;
}
