/** Describes the commands from oclif's manifest; completion, the man page and the docs are generated from it. */
import type { Command } from '@oclif/core';

export interface FlagReference {
  readonly name: string;
  readonly char?: string;
  readonly summary: string;
  /** The placeholder of the value, for example FILE; undefined for a switch. */
  readonly value?: string;
  /** The allowed values; empty if any value is allowed. */
  readonly options: readonly string[];
  readonly default?: string;
  /** A switch that `--no-NAME` turns off. */
  readonly negatable: boolean;
  readonly group?: string;
}

export interface ArgumentReference {
  readonly name: string;
  readonly required: boolean;
  readonly summary: string;
  /** The allowed values; empty if any value is allowed. */
  readonly options: readonly string[];
}

export interface CommandReference {
  /** The words after the program's name: `demo down`. */
  readonly words: string;
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly ArgumentReference[];
  readonly flags: readonly FlagReference[];
  /** Complete command lines. */
  readonly examples: readonly string[];
}

/** Sorted by the words of the commands. */
export function referenceOf(commands: readonly Command.Cached[]): CommandReference[] {
  const references = commands.map(
    (command): CommandReference => ({
      words: command.id.replaceAll(':', ' '),
      summary: command.summary ?? '',
      description: command.description ?? '',
      arguments: Object.values(command.args).map((arg) => ({
        name: arg.name.toUpperCase(),
        required: arg.required ?? false,
        summary: arg.description ?? '',
        options: arg.options ?? [],
      })),
      flags: Object.values(command.flags)
        .map(flagOf)
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      examples: (command.examples ?? []).map((example) =>
        (typeof example === 'string' ? example : example.command).replaceAll('<%= config.bin %>', 'mesosup'),
      ),
    }),
  );
  return references.sort((a, b) => (a.words < b.words ? -1 : 1));
}

function flagOf(flag: Command.Flag.Cached): FlagReference {
  const { name, char, helpGroup, summary, description } = flag;
  return {
    name,
    summary: summary ?? description ?? '',
    negatable: flag.type === 'boolean' && (flag.allowNo ?? false),
    options: flag.type === 'option' ? (flag.options ?? []) : [],
    ...(char && { char }),
    ...(helpGroup && { group: helpGroup }),
    ...(flag.type === 'option' && { value: flag.helpValue?.toString() ?? 'VALUE' }),
    ...(flag.type === 'option' && flag.default !== undefined && { default: String(flag.default) }),
  };
}

/** All spellings of the flag: `-f`, `--file`, `--no-input`. */
export function spellings({ name, char, negatable }: FlagReference): string[] {
  return [...(char ? [`-${char}`] : []), `--${name}`, ...(negatable ? [`--no-${name}`] : [])];
}

/** The flag with its value: `-f, --file=FILE`. */
export function flagSynopsis(flag: FlagReference): string {
  const value =
    flag.value === undefined ? '' : `=${flag.options.length > 0 ? flag.options.join('|') : flag.value}`;
  return `${spellings(flag).join(', ')}${value}`;
}

/** The summary with the default. */
export function summaryWithDefault({ summary, default: value }: FlagReference): string {
  return value === undefined ? summary : `${summary} Default: ${value}.`;
}

/** The synopsis: `mesosup install [PLAN] [FLAGS]`. */
export function synopsis(command: CommandReference): string {
  const words = command.arguments.map(({ name, required }) => (required ? name : `[${name}]`));
  return ['mesosup', command.words, ...words, ...(command.flags.length > 0 ? ['[FLAGS]'] : [])].join(' ');
}

type Listed = 'app' | 'context' | 'secrets';

/** The topics whose names are values of arguments and flags, by the name of the value. */
const LISTED: Readonly<Record<string, Listed>> = {
  APP: 'app',
  'APP|TASK': 'app',
  CONTEXT: 'context',
  SECRET: 'secrets',
};

/**
 * Names may come from a cluster, and shells expand some words again: others than these are left out. A slow answer is
 * worse than none.
 */
export const LISTED_WORDS = '^[A-Za-z0-9/._-]+$';
export const LISTED_SECONDS = '0.3';

/** The candidates that a shell offers for a value. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** The words that the command `list -o name` of this topic prints. */
  | { readonly kind: 'listed'; readonly topic: Listed }
  | { readonly kind: 'files' | 'directories' | 'any' };

export function valuesOf({ options, value }: Pick<FlagReference, 'options' | 'value'>): Values | undefined {
  if (value === undefined) return undefined;
  if (options.length > 0) return { kind: 'words', words: options };
  const topic = LISTED[value];
  if (topic !== undefined) return { kind: 'listed', topic };
  if (/\bFILE\b/.test(value)) return { kind: 'files' };
  return { kind: value === 'DIRECTORY' ? 'directories' : 'any' };
}

/** The candidates for an argument: files, unless it is known better. */
export function argumentValues({ name, options }: ArgumentReference): Values {
  const values = valuesOf({ value: name, options });
  return values === undefined || values.kind === 'any' ? { kind: 'files' } : values;
}

/** The last words of the commands directly below a command or topic. */
export function commandsBelow(words: string, all: readonly CommandReference[]): CommandReference[] {
  return all.filter(
    (other) => other.words.startsWith(`${words} `) && !other.words.slice(words.length + 1).includes(' '),
  );
}
