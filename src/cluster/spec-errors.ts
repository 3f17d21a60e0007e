/** Errors of a cluster spec, with their places. */

import type { core } from 'zod';
import { didYouMean, suggest } from '../text/suggest.ts';

/** Keys and indices from the top of the spec. */
export type SpecPath = readonly (string | number)[];

/** A problem of a spec, without its place in a file. */
export interface Complaint {
  readonly path: SpecPath;
  /** True: the problem is the key, not its value. */
  readonly key?: boolean;
  /** Describes the problem, and what was expected. */
  readonly message: string;
}

export interface SpecError extends Complaint {
  readonly file: string;
  /** From 1. Missing when the error has no place in a file. */
  readonly line?: number;
  readonly column?: number;
}

/** Formats an error: `cluster.yaml:7:11: hosts[1].roles[0]: expected one of …, not "agnet"; did you mean "agent"?` */
export function formatSpecError(error: SpecError): string {
  const place = error.line === undefined ? error.file : `${error.file}:${error.line}:${error.column}`;
  return [place, formatPath(error.path), error.message].filter((part) => part !== '').join(': ');
}

export function formatPath(path: SpecPath): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('');
}

function knownKeys(keys: readonly string[]): string {
  return `; the keys here are ${keys.join(', ')}`;
}

/** Converts an issue into one or more complaints. @param input the value that was checked */
export function complaintsOf(issue: core.$ZodIssue, input: unknown): Complaint[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const found = valueAt(input, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: [...path, key],
        key: true,
        message: `unknown key${didYouMean(key, issue.message.split(' ')) || knownKeys(issue.message.split(' '))}`,
      }));
    case 'invalid_value':
      return [
        {
          path,
          message: expected(
            issue.message.startsWith('Invalid') ? oneOf(issue.values) : issue.message,
            found,
            issue.values,
          ),
        },
      ];
    case 'invalid_key':
      return [{ path, key: true, message: expected(issue.issues[0]?.message ?? 'another key', path.at(-1)) }];
    case 'custom':
      return isComplaint(issue.params?.complaint)
        ? [{ ...issue.params.complaint, path }]
        : [{ path, message: expected(issue.message, found) }];
    case 'invalid_union': {
      if (issue.errors.length === 0) {
        const misspelt = found === undefined ? findMisspeltKey(path, input) : undefined;
        if (misspelt) return [misspelt];
        const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
        return [{ path, message: expected(oneOf(options), found, options) }];
      }
      // Report the branch whose type is that of the value.
      const branch =
        issue.errors.find(
          (issues) => !issues.some((i) => i.code === 'invalid_type' && i.path.length === 0),
        ) ?? [];
      if (!issue.message.startsWith('Invalid') || branch.length === 0) {
        const noun = issue.message.startsWith('Invalid')
          ? 'a name or a block of keys and values'
          : issue.message;
        return [{ path, message: expected(noun, found) }];
      }
      return branch.flatMap((inner) => complaintsOf({ ...inner, path: [...path, ...inner.path] }, input));
    }
    default:
      return [{ path, message: expected(issue.message, found) }];
  }
}

/** Converts a complaint into an issue, for a check within a schema. */
export function issueOf(complaint: Complaint, input: unknown): core.$ZodRawIssue {
  return {
    code: 'custom',
    input,
    path: [...complaint.path],
    message: complaint.message,
    params: { complaint },
  };
}

function isComplaint(value: unknown): value is Complaint {
  return typeof value === 'object' && value !== null && 'message' in value;
}

/** Finds a key of the same block that is probably a misspelling of the missing one. */
function findMisspeltKey(path: SpecPath, input: unknown): Complaint | undefined {
  const around = path.slice(0, -1);
  const wanted = String(path.at(-1));
  const block = valueAt(input, around);
  const key = Object.keys(typeof block === 'object' && block !== null ? block : {}).find(
    (one) => suggest(one, [wanted]) === wanted,
  );
  if (key === undefined) return undefined;
  return { path: [...around, key], key: true, message: `unknown key${didYouMean(key, [wanted])}` };
}

/** Returns `expected NOUN, not "FOUND"`, with a suggestion from `known`. */
export function expected(noun: string, found: unknown, known: readonly unknown[] = []): string {
  if (found === undefined) return `is missing: expected ${noun}`;
  const shown =
    typeof found === 'string' ? JSON.stringify(shorten(found)) : Array.isArray(found) ? 'a list' : 'a block';
  const hint = typeof found === 'string' ? didYouMean(found, known.map(String)) : '';
  return `expected ${noun}, not ${shown}${hint}`;
}

function oneOf(values: readonly unknown[]): string {
  const words = values.map(String);
  return words.length === 1 ? words.join('') : `one of ${words.join(', ')}`;
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

function valueAt(input: unknown, path: SpecPath): unknown {
  let value = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === String(step))?.[1];
  }
  return value;
}
