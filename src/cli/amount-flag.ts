import { UsageError } from '../errors/mesosup-error.ts';

/** Parses the amount of a resource. @throws UsageError */
export function amountOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(`--${flag} ${text}: expected a number, for example 0.5`);
}
