/**
 * Command-line flags as Mesos takes them: `--name=value` or `--name value`, `--name` and `--no-name` for switches,
 * and MESOS_NAME in the environment, which the command line overrides. A value `file://…` is read from that file.
 * An unknown flag stops the start; an unknown MESOS_ variable does not.
 */

import { parseDuration } from '../../mesos/duration.ts';

type FlagKind = 'text' | 'switch' | 'integer' | 'duration';

interface FlagSpec {
  kind: FlagKind;
  /** What is used, and shown by `/flags`, where none is given. */
  default?: string;
  help: string;
}

/** Wrong use of the command line; the message is for the person who typed it. */
export class FlagError extends Error {
  override name = 'FlagError';
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** The flags in force, by name, as text. */
export type FlagValues = ReadonlyMap<string, string>;

/**
 * @param readFile gives the contents of the file behind a `file://` value
 * @throws FlagError for an unknown flag or a value that isn't of the flag's kind
 */
export function parseFlags(
  specs: FlagSpecs,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): FlagValues {
  const given = new Map<string, string>();
  for (const name of Object.keys(specs)) {
    const value = env[`MESOS_${name.toUpperCase()}`];
    if (value !== undefined) given.set(name, value);
  }
  for (let i = 0; i < argv.length; i += 1) {
    const argument = argv[i] as string;
    const { name, value } = splitFlag(specs, argument, argv[i + 1]);
    if (value.fromNext) i += 1;
    given.set(name, value.text);
  }
  const flags = new Map<string, string>();
  for (const [name, spec] of Object.entries(specs)) {
    const raw = given.get(name) ?? spec.default;
    if (raw === undefined) continue;
    flags.set(name, checkValue(name, spec.kind, resolveFile(name, raw, readFile)));
  }
  return flags;
}

function splitFlag(
  specs: FlagSpecs,
  argument: string,
  next: string | undefined,
): { name: string; value: { text: string; fromNext: boolean } } {
  const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument);
  if (!match) throw new FlagError(`Failed to load flags: '${argument}' is not a flag (--name=value)`);
  const written = (match[1] as string).replaceAll('-', '_');
  const negated = written.startsWith('no_') && specs[written.slice(3)]?.kind === 'switch';
  const name = negated ? written.slice(3) : written;
  const spec = specs[name];
  if (!spec) throw new FlagError(`Failed to load unknown flag '${match[1]}'`);
  const text = match[2];
  if (negated) {
    if (text !== undefined) throw new FlagError(`Failed to load flag '${name}': --no-${name} takes no value`);
    return { name, value: { text: 'false', fromNext: false } };
  }
  if (text !== undefined) return { name, value: { text, fromNext: false } };
  if (spec.kind === 'switch') return { name, value: { text: 'true', fromNext: false } };
  if (next === undefined) throw new FlagError(`Failed to load flag '${name}': Missing value`);
  return { name, value: { text: next, fromNext: true } };
}

function resolveFile(name: string, value: string, readFile: (path: string) => string): string {
  if (!value.startsWith('file://')) return value;
  const path = value.slice('file://'.length);
  try {
    return readFile(path).trim();
  } catch (error) {
    throw new FlagError(`Failed to load flag '${name}': cannot read '${path}': ${(error as Error).message}`);
  }
}

function checkValue(name: string, kind: FlagKind, value: string): string {
  const fail = (why: string): never => {
    throw new FlagError(`Failed to load flag '${name}': Failed to load value '${value}': ${why}`);
  };
  switch (kind) {
    case 'switch':
      if (value !== 'true' && value !== 'false' && value !== '1' && value !== '0')
        fail('expected true or false');
      return value === '1' ? 'true' : value === '0' ? 'false' : value;
    case 'integer':
      return /^\d+$/.test(value) ? value : fail('expected a whole number');
    case 'duration':
      try {
        parseDuration(value);
        return value;
      } catch (error) {
        return fail((error as Error).message);
      }
    case 'text':
      return value;
  }
}

/** A duration flag in milliseconds. */
export function flagMs(flags: FlagValues, name: string): number {
  return parseDuration(flags.get(name) ?? '0ns');
}

export function flagNumber(flags: FlagValues, name: string): number {
  return Number(flags.get(name) ?? '0');
}

export function flagOn(flags: FlagValues, name: string): boolean {
  return flags.get(name) === 'true';
}

/** For --help. */
export function usage(program: string, specs: FlagSpecs): string {
  const lines = Object.entries(specs).map(([name, spec]) => {
    const value = spec.kind === 'switch' ? `--[no-]${name}` : `--${name}=VALUE`;
    return `  ${value.padEnd(44)} ${spec.help}${spec.default ? ` (default: ${spec.default})` : ''}`;
  });
  return `Usage: ${program} [options]\n\n${lines.join('\n')}\n`;
}
