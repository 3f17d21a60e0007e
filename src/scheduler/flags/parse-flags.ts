/**
 * Reads the daemon's flags. Each flag may also be set in the environment, as MARATHON_ followed by its name in capital
 * letters; the command line takes precedence.
 */

import { parseArgs } from 'node:util';
import { UsageError } from '../../errors/mesosup-error.ts';
import { FLAG_NAMES, type FlagName, flagOf, type WholeNumberFlagName } from './flag-table.ts';
import { describeUnknownFlag, listUnsupportedFlags } from './unknown-flags.ts';

export interface Flags {
  text(name: FlagName): string | undefined;
  /** Reads only the environment, since arguments are visible in the process list. */
  secret(name: string): string | undefined;
  /** @returns the value or its default */
  required(name: FlagName): string;
  wholeNumber(name: WholeNumberFlagName): number;
  isOn(name: FlagName): boolean;
}

/** @throws UsageError */
export function readFlags(args: readonly string[], environment: NodeJS.ProcessEnv): Flags {
  const values = parse(args);
  const text = (name: FlagName): string | undefined => {
    const { default: defaultValue, form } = flagOf(name);
    const input = values[name] ?? environment[`MARATHON_${name.toUpperCase()}`];
    if (input === undefined || input === true || input === '') return defaultValue;
    const value = String(input);
    if (!form || form.accepts(value)) return value;
    throw new UsageError(`--${name} is '${value}': expected ${form.expected}`);
  };
  const required = (name: FlagName): string => {
    const value = text(name);
    if (value === undefined) throw new UsageError(`--${name} is missing: ${flagOf(name).help}`);
    return value;
  };
  return {
    text,
    required,
    secret: (name) => environment[`MARATHON_${name.toUpperCase()}`] || undefined,
    wholeNumber: (name) => Number(required(name)),
    isOn: (name) => (values[name] ?? parseSwitch(environment[`MARATHON_${name.toUpperCase()}`])) === true,
  };
}

export function usage(): string {
  const lines = FLAG_NAMES.map((name) => {
    const { value, default: defaultValue, help } = flagOf(name);
    const left = value === undefined ? `--${name}` : `--${name} ${value}`;
    return `  ${left.padEnd(45)} ${help}${defaultValue === undefined ? '' : ` (default: ${defaultValue})`}`;
  });
  return `Run the mesosup scheduler: a Mesos framework with Marathon's API.\n\n${lines.join('\n')}\n\nFlags of Marathon that are not supported:\n\n${listUnsupportedFlags()}\n`;
}

function parse(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    FLAG_NAMES.map((name) => [
      name,
      { type: flagOf(name).value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values as Record<
      string,
      string | boolean | undefined
    >;
  } catch (error) {
    throw new UsageError(
      describeUnknownFlag(args, FLAG_NAMES) ??
        `${error instanceof Error ? error.message : String(error)} (--help lists all flags)`,
    );
  }
}

function parseSwitch(value: string | undefined): boolean {
  return value === '' || value === 'true' || value === '1';
}
