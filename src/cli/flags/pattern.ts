import { UsageError } from '../../errors/mesosup-error.ts';

/** The pattern of --grep. @throws UsageError if it is no regular expression */
export function patternOf(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined ? undefined : new RegExp(text);
  } catch (error) {
    throw new UsageError(`--grep is not a regular expression: ${(error as Error).message}`);
  }
}
