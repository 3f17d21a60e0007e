/** Finds the command of a command line, and reports words that name none. */

import { UsageError } from '../../errors/mesosup-error.ts';
import { didYouMean } from '../../text/suggest.ts';

/** The part of oclif's manifest that this needs. Ids have colons: `demo:down`. */
export interface KnownCommand {
  readonly id: string;
  readonly hidden?: boolean | undefined;
  /** False: the command takes any number of arguments. */
  readonly strict?: boolean | undefined;
  readonly args: Readonly<Record<string, unknown>>;
}

/**
 * Returns the words after `--`, in their order; empty without `--`. oclif's own `argv` is sorted by the first place of
 * each word, so a word that also occurs before `--` changes its place.
 */
export function wordsAfterDashes(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return end === -1 ? [] : args.slice(end + 1);
}

/** Returns the arguments up to `--`; what follows belongs to another program. */
export function ownArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}

/** Replaces -h, before `--`, with --help. */
export function withLongHelp(args: readonly string[]): string[] {
  const own = ownArguments(args);
  return args.map((arg, i) => (arg === '-h' && i < own.length ? '--help' : arg));
}

/**
 * Checks the words with which a command line begins.
 * @throws UsageError if they name no command, the command takes no argument, or a flag comes first
 */
export function checkCommandWords(args: readonly string[], commands: readonly KnownCommand[]): void {
  const flag = args.findIndex((arg) => arg.startsWith('-'));
  const words = flag < 0 ? args : args.slice(0, flag);
  if (flag === 0 && args[0] !== '--help') throw earlyFlag(args, commands);
  for (let depth = 1; depth <= words.length; depth += 1) {
    const word = words[depth - 1] ?? '';
    const before = words.slice(0, depth - 1);
    const id = [...before, word].join(':');
    const isKnown = commands.some((command) => command.id === id || command.id.startsWith(`${id}:`));
    if (isKnown) continue;
    const parent = commands.find((command) => command.id === before.join(':'));
    if (parent && takesArguments(parent)) return;
    const below = nextWords(before, commands);
    if (below.length === 0) throw unexpectedArgument(before, word);
    throw unknownCommand(before, words.slice(depth - 1), commands);
  }
}

function takesArguments({ args, strict }: KnownCommand): boolean {
  return strict === false || Object.keys(args).length > 0;
}

/** The words that may follow these words of a command. */
function nextWords(before: readonly string[], commands: readonly KnownCommand[]): string[] {
  const next = commands.flatMap(({ id, hidden }) => {
    const words = id.split(':');
    const word = words[before.length];
    const isBelow = before.every((one, i) => one === words[i]);
    return isBelow && word !== undefined && !hidden ? [word] : [];
  });
  return [...new Set(next)];
}

function unknownCommand(
  before: readonly string[],
  [word = '', next]: readonly string[],
  commands: readonly KnownCommand[],
): UsageError {
  const below = nextWords(before, commands);
  // `ap list` is nearer to `app list` than to `api`.
  const fitting = below.filter(
    (one) => next !== undefined && nextWords([...before, one], commands).includes(next),
  );
  const place = ['mesosup', ...before].join(' ');
  // A command without the word before it: `backup` for `scheduler backup`.
  const deeper = commands.find(({ id, hidden }) => !hidden && id.endsWith(`:${word}`));
  const hint =
    didYouMean(word, fitting) ||
    didYouMean(word, below) ||
    (deeper ? `; did you mean "${deeper.id.replaceAll(':', ' ')}"?` : '');
  return new UsageError(`${place} has no command "${word}"${hint}`, {
    remedy: `List the commands with: ${['mesosup help', ...before].join(' ')}`,
  });
}

/** oclif reads flags only after the command. */
function earlyFlag([flag = '', ...rest]: readonly string[], commands: readonly KnownCommand[]): UsageError {
  const word = rest.find((one) => commands.some(({ id }) => id === one)) ?? 'COMMAND';
  return new UsageError(`the flag ${flag} comes before the command`, {
    remedy: `Write the command first: mesosup ${word} ${flag}`,
  });
}

function unexpectedArgument(before: readonly string[], word: string): UsageError {
  const command = ['mesosup', ...before].join(' ');
  const remedy = /\.ya?ml$/.test(word)
    ? `Name the cluster file with a flag: ${command} --file ${word}`
    : `Leave it out. The flags are in: ${command} --help`;
  return new UsageError(`${command} takes no argument, but the command line has "${word}"`, { remedy });
}
