/**
 * Turns oclif's errors about flags and arguments into usage errors of two lines. oclif exports no classes of these
 * errors, so they are recognized by their properties and texts; a test causes each kind.
 */

import { UsageError } from '../../errors/mesosup-error.ts';
import { didYouMean } from '../../text/suggest.ts';

/** The command whose command line is wrong. */
export interface ParsedCommand {
  /** With the program: `mesosup demo down`. */
  readonly name: string;
  /** The names of its flags, without dashes, and its letters. */
  readonly flags: Readonly<Record<string, KnownFlag>>;
  readonly args: Readonly<Record<string, { readonly name?: string | undefined }>>;
  /** Complete command lines. */
  readonly examples: readonly string[];
}

interface KnownFlag {
  readonly char?: string | undefined;
  readonly helpValue?: string | readonly string[] | undefined;
  readonly options?: readonly string[] | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly allowNo?: boolean | undefined;
  readonly hidden?: boolean | undefined;
}

/** Returns undefined for an error that is not about the command line. */
export function usageErrorOf(error: unknown, command: ParsedCommand): UsageError | undefined {
  if (!(error instanceof Error) || !('oclif' in error)) return undefined;
  const help = `See: ${command.name} --help`;
  const message = error.message.replace(/\nSee more help with --help$/, '');
  if ('flags' in error && isTexts(error.flags)) return unknownFlag(error.flags[0] ?? '', command);
  if ('args' in error && Array.isArray(error.args)) return argumentError(error, error.args, message, command);
  const [, flag = '', value] =
    /^Expected --(\S+?)=([\s\S]*) to be one of: /.exec(message) ??
    /^Flag --(\S+) expects/.exec(message) ??
    /^Parsing --(\S+) \n\t[\s\S]* but received: ([\s\S]*)$/.exec(message) ??
    [];
  const expected = expectedFor(command.flags[flag]);
  if (flag !== '' && value === undefined) {
    const value = command.flags[flag]?.options?.join('|') ?? command.flags[flag]?.helpValue ?? 'VALUE';
    return new UsageError(`--${flag} needs a value`, { remedy: `Write: --${flag} ${value}. ${help}` });
  }
  if (flag !== '' && value !== undefined) {
    const hint = didYouMean(value, command.flags[flag]?.options ?? []);
    return new UsageError(`--${flag} is "${value}": expected ${expected}${hint}`, { remedy: help });
  }
  const [, found, options = ''] = /^Expected ([\s\S]*) to be one of: (.*)$/.exec(message) ?? [];
  if (found !== undefined) {
    const words = options.split(', ');
    return new UsageError(
      `"${found}" is not possible here: expected ${alternatives(words)}${didYouMean(found, words)}`,
      {
        remedy: help,
      },
    );
  }
  const [, twice] = /^Flag --(\S+) can only be specified once$/.exec(message) ?? [];
  if (twice !== undefined) return new UsageError(`--${twice} is set twice`, { remedy: 'Set it once.' });
  return constraintError(message, command, help);
}

function unknownFlag(typed: string, { name, flags }: ParsedCommand): UsageError {
  const flag = typed.replace(/=[\s\S]*$/, '');
  const known = Object.entries(flags).flatMap(([of, { char, allowNo, hidden }]) =>
    hidden ? [] : [`--${of}`, ...(allowNo ? [`--no-${of}`] : []), ...(char ? [`-${char}`] : [])],
  );
  if (flag === '--json' && flags.output) {
    return new UsageError(`${name} has no flag --json`, { remedy: `Write: ${name} -o json` });
  }
  // Every letter resembles every other letter.
  const hint = flag.startsWith('--') ? didYouMean(flag, known) : '';
  return new UsageError(`${name} has no flag ${flag}${hint}`, {
    remedy: `List its flags with: ${name} --help`,
  });
}

function argumentError(
  error: object,
  args: readonly unknown[],
  message: string,
  command: ParsedCommand,
): UsageError {
  const example = command.examples.find((one) => !one.includes(' --')) ?? command.examples[0];
  const remedy = example === undefined ? `See: ${command.name} --help` : `For example: ${example}`;
  const names = Object.entries(command.args).map(([key, { name }]) => (name ?? key).toUpperCase());
  if (message.startsWith('Unexpected')) {
    const list = listBefore(error, String(args[0]));
    if (list)
      return new UsageError(`${command.name} takes no argument "${args[0]}"`, {
        remedy: `A list has commas and no blanks: ${list}`,
      });
    const takes = names.length === 0 ? 'no argument' : `only ${names.join(' and ')}`;
    return new UsageError(
      `${command.name} takes ${takes}, but the command line also has "${args.join('" and "')}"`,
      {
        remedy,
      },
    );
  }
  const missing = args.flatMap((arg) =>
    typeof arg === 'object' && arg !== null && 'name' in arg ? [String(arg.name).toUpperCase()] : [],
  );
  return new UsageError(`${command.name} needs ${missing.join(' and ')}`, { remedy });
}

/** Joins the values of a list and the arguments that follow it: `--hosts a,b` for `--hosts a, b`. */
function listBefore(error: object, argument: string): string | undefined {
  const parse = 'parse' in error ? (error.parse as Partial<ParsedInput>) : {};
  const raw = parse.output?.raw ?? [];
  const at = raw.findIndex(({ type, input }) => type === 'arg' && input === argument);
  const from = raw.findLastIndex(({ type }, i) => i < at && type === 'flag');
  const before = raw[from];
  if (!before || parse.input?.flags?.[before.flag ?? '']?.multiple !== true) return undefined;
  const next = raw.findIndex(({ type }, i) => i > at && type === 'flag');
  const values = raw.slice(from, next < 0 ? raw.length : next).map(({ input }) => input);
  return `--${before.flag} ${values
    .flatMap((value) => value.split(','))
    .filter(Boolean)
    .join(',')}`;
}

/** What oclif has read of a command line. */
interface ParsedInput {
  readonly input: { readonly flags?: Readonly<Record<string, { readonly multiple?: boolean }>> };
  readonly output: {
    readonly raw?: readonly { readonly type: string; readonly flag?: string; readonly input: string }[];
  };
}

/** Describes the values of a flag: `an integer from 1 to 65535`, `bash, zsh or fish`, `FILE`. */
function expectedFor(flag: KnownFlag | undefined): string {
  const { options, min, max, helpValue } = flag ?? {};
  if (options && options.length > 0) return alternatives(options);
  if (min !== undefined && max !== undefined) return `an integer from ${min} to ${max}`;
  if (min !== undefined) return `an integer of at least ${min}`;
  return helpValue === undefined ? 'VALUE' : [helpValue].flat().join(' ');
}

function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function constraintError(message: string, command: ParsedCommand, help: string): UsageError {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: oclif colours the reasons.
  const reasons = message.replace(/^The following errors? occurred:\s*/, '').replaceAll(/\u001b\[\d+m/g, '');
  const [first = ''] = reasons.split('\n').map((line) => line.trim());
  const [, other, flag] = /^--(\S+?)(?:=.*)? cannot also be provided when using --(\S+)$/.exec(first) ?? [];
  if (other !== undefined) {
    return new UsageError(`--${flag} and --${other} exclude each other`, {
      remedy: `Use one of them. ${help}`,
    });
  }
  const [, required] = /^Missing required flag (\S+)$/.exec(first) ?? [];
  if (required !== undefined) {
    return new UsageError(`${command.name} needs --${required} ${expectedFor(command.flags[required])}`, {
      remedy: help,
    });
  }
  const [, needing, needed] =
    /^All of the following must be provided when using --(\S+): (.*)$/.exec(first) ?? [];
  if (needing !== undefined) {
    return new UsageError(`--${needing} needs ${needed}`, {
      remedy: `Add ${needed}, or leave out --${needing}. ${help}`,
    });
  }
  return new UsageError(first, { remedy: help });
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
