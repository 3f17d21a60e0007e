/** Recognizes command lines that ask only for help, and fits it to the terminal. */

const HELP = /^(--help|-h)$/;
const WORD = /^[a-z][a-z-]*$/;
/** Of files and pipes, and of terminals that do not know their size. */
const USUAL_WIDTH = 80;
const MIN_WIDTH = 40;

/** @returns the words of the command; undefined for a command line that wants something else, or may be wrong */
export function helpRequest(args: readonly string[]): readonly string[] | undefined {
  const wordsBefore = HELP.test(args.at(-1) ?? '--help') ? args.slice(0, -1) : undefined;
  const words = wordsBefore ?? (args[0] === 'help' ? args.slice(1) : undefined);
  // oclif shows the help of all commands instead of that of `help` itself.
  if (words?.length === 1 && words[0] === 'help') return [];
  return words?.every((word) => WORD.test(word)) ? words : undefined;
}

export function helpLayout(terminal: NodeJS.WriteStream): {
  readonly width: number;
  readonly styled: boolean;
} {
  const width = (terminal.isTTY && terminal.columns) || USUAL_WIDTH;
  return { width: Math.max(MIN_WIDTH, width), styled: terminal.hasColors?.() ?? false };
}
