/**
 * Parses flags like Mesos: `--name=value`, `--name` and `--no-name` for switches, and MESOS_NAME in the environment,
 * which the command line overrides. A value `file://…` is read from that file. An unknown or repeated flag is an error;
 * an unknown MESOS_ variable or an argument that is not a flag is ignored.
 * Source: stout/flags/flags.hpp of Mesos 1.11.
 */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseDuration } from '../../mesos/duration.ts';

/**
 * `path`: a file, as path or as `file://…`. `secret`: text that must not be shown; `file://…` names a file that contains
 * it, which `flagSecret` reads.
 */
export type FlagKind = 'text' | 'switch' | 'integer' | 'number' | 'duration' | 'path' | 'secret';

export interface FlagSpec {
  kind: FlagKind;
  /** Used, and shown by `/flags`, if the flag is not set. */
  default?: string;
  help: string;
  /** An older name that is accepted, too. */
  alias?: string;
  /** Accepted and shown for compatibility with a real Mesos, without effect. */
  inert?: true;
}

/** Invalid use of the command line. */
export class FlagError extends MesosupError {
  override name = 'FlagError';
}

/** Prefix of a value that is in a file. */
const FILE = 'file://';

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** The effective flags as text, by name. */
export type FlagValues = ReadonlyMap<string, string>;

/**
 * @param readFile returns the content of the file of a `file://` value
 * @throws FlagError for an unknown flag or a value of the wrong kind
 */
export function parseFlags(
  specs: FlagSpecs,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): FlagValues {
  const names = new Map(Object.keys(specs).map((name) => [name, name]));
  for (const [name, { alias }] of Object.entries(specs)) if (alias !== undefined) names.set(alias, name);
  const values = new Map<string, string>();
  for (const argument of argv) {
    if (argument === '--') break;
    const match = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argument.trim());
    if (!match) continue;
    const [name, value] = argumentValue(specs, names, (match[1] ?? '').toLowerCase(), match[2]);
    if (values.has(name)) throw new FlagError(`Flag '${match[1]}' is already loaded via name '${name}'`);
    values.set(name, value);
  }
  for (const [written, name] of names) {
    const value = env[`MESOS_${written.toUpperCase()}`];
    if (value !== undefined && !values.has(name)) {
      values.set(name, value === '' && specs[name]?.kind === 'switch' ? 'true' : value);
    }
  }
  const flags = new Map<string, string>();
  for (const [name, spec] of Object.entries(specs)) {
    const raw = values.get(name) ?? spec.default;
    if (raw !== undefined)
      flags.set(name, checkValue(name, spec.kind, resolveFile(name, spec, raw, readFile)));
  }
  return flags;
}

function argumentValue(
  specs: FlagSpecs,
  names: ReadonlyMap<string, string>,
  written: string,
  value: string | undefined,
): [name: string, value: string] {
  const negated = written.startsWith('no-');
  const name = names.get(negated ? written.slice(3) : written);
  const spec = name === undefined ? undefined : specs[name];
  if (name === undefined || !spec) {
    const plain = negated ? `${written.slice(3)}' via '${written}` : written;
    throw new FlagError(`Failed to load unknown flag '${plain}'`);
  }
  if (spec.kind === 'switch') {
    if (value === undefined || value === '') return [name, negated ? 'false' : 'true'];
    if (!negated) return [name, value];
    throw new FlagError(`Failed to load boolean flag '${name}' via '${written}' with value '${value}'`);
  }
  if (negated) throw new FlagError(`Failed to load non-boolean flag '${name}' via '${written}'`);
  if (value === undefined) throw new FlagError(`Failed to load non-boolean flag '${name}': Missing value`);
  return [name, value];
}

function resolveFile(
  name: string,
  { kind }: FlagSpec,
  value: string,
  readFile: (path: string) => string,
): string {
  if (!value.startsWith(FILE) || kind === 'secret') return value;
  return kind === 'path' ? value.slice(FILE.length) : fileContents(name, value, readFile);
}

function fileContents(name: string, value: string, readFile: (path: string) => string): string {
  const path = value.slice(FILE.length);
  try {
    return readFile(path).trim();
  } catch (error) {
    throw new FlagError(
      `Failed to load flag '${name}': Error reading file '${path}': ${(error as Error).message}`,
    );
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
    case 'number':
      return value !== '' && Number.isFinite(Number(value)) ? value : fail('expected a number');
    case 'duration':
      try {
        parseDuration(value);
        return value;
      } catch (error) {
        return fail((error as Error).message);
      }
    default:
      return value;
  }
}

/** Returns a duration flag in milliseconds. */
export function flagMs(flags: FlagValues, name: string): number {
  return parseDuration(flags.get(name) ?? '0ns');
}

export function flagNumber(flags: FlagValues, name: string): number {
  return Number(flags.get(name) ?? '0');
}

export function flagOn(flags: FlagValues, name: string): boolean {
  return flags.get(name) === 'true';
}

/** Returns the listen address and the published address. Unset options are missing. */
export function networkOptions(flags: FlagValues) {
  const text = (name: string, option: string) => {
    const value = flags.get(name);
    return value === undefined ? {} : { [option]: value };
  };
  return {
    ...text('ip', 'ip'),
    ...text('hostname', 'hostname'),
    ...text('advertise_ip', 'advertiseIp'),
    port: flagNumber(flags, 'port'),
    ...(flags.has('advertise_port') ? { advertisePort: flagNumber(flags, 'advertise_port') } : {}),
  };
}

/** Returns the value of a `secret` flag, from its file if it names one. @throws FlagError without the value */
export function flagSecret(
  flags: FlagValues,
  name: string,
  readFile: (path: string) => string,
): string | undefined {
  const value = flags.get(name);
  return value?.startsWith(FILE) ? fileContents(name, value, readFile) : value;
}

/** Returns the flags without secrets: only the file of a secret, or the address without the password. */
export function shownFlags(specs: FlagSpecs, flags: FlagValues): FlagValues {
  return new Map(
    [...flags].map(([name, value]) => [
      name,
      specs[name]?.kind === 'secret' ? value.replace(/^(zk:\/\/).*@/s, '$1***@') : value,
    ]),
  );
}

/** Formats the text of --help. */
export function usage(program: string, specs: FlagSpecs): string {
  const lines = Object.entries(specs).map(([name, spec]) => {
    const value = spec.kind === 'switch' ? `--[no-]${name}` : `--${name}=VALUE`;
    const notes = [
      ...(spec.alias === undefined ? [] : [`also ${spec.alias}`]),
      ...(spec.default === undefined || spec.default === '' ? [] : [`default: ${spec.default}`]),
    ];
    const after = notes.length > 0 ? ` (${notes.join('; ')})` : '';
    return `  ${value.padEnd(44)} ${spec.help}${after}`;
  });
  return `Usage: ${program} [options]\n\n${lines.join('\n')}\n`;
}

/** Declares flags of a real Mesos without effect here. @param names separated by blanks, all of one kind */
export function inertFlags(kind: FlagKind, names: string): Record<string, FlagSpec> {
  const help = 'accepted for compatibility with a real Mesos; no effect';
  return Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, { kind, help, inert: true }]),
  );
}
