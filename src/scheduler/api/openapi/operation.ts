/** An operation of the API, as its description shows it. */

import type * as z from 'zod';

/** In which forms an answer comes, and what is in each. */
export type Answer = Readonly<Partial<Record<Media, z.ZodType>>>;
export type Media = 'json' | 'text' | 'html' | 'events';

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** The pattern it is registered by, where that is another: ids are paths. */
  readonly route?: string;
  readonly summary: string;
  readonly query?: readonly Parameter[];
  /** The name of a schema, or of one in an array. */
  readonly body?: string | readonly [string];
  /** By status; other than the refusals. One without a form has no body. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Refusals besides those of every operation. */
  readonly refusals?: readonly (404 | 409 | 422)[];
}

export type Parameter = keyof typeof PARAMETERS;

export const PARAMETERS = {
  appId: 'the app, or * for any',
  cmd: 'apps whose command has this in it',
  cursor: 'what follows after the item of this id',
  dryRun: 'true: only say what would be done',
  embed: 'what to show besides, such as apps.tasks; may be repeated',
  event_type: 'events of this type; may be repeated',
  fields: 'these fields of each item, with commas between them; the others are left out, required or not',
  force: 'true: although deployments under way change the same apps; they are cancelled',
  host: 'tasks on this host, or * for any',
  id: 'apps whose id has this in it; of /v1/tasks/kill, the task',
  label: 'apps with these labels: name, name==value, name in (a, b), with commas between them',
  limit: 'at most so many items; next in the answer is the cursor of what follows',
  partialUpdate: 'false: fields that are left out get their defaults',
  'plan-format': 'light: plans without what was there before and after',
  scale: 'true: the app is to have as many instances fewer',
  status: 'running or staging; may be repeated',
  wipe: 'true: tasks out of reach are forgotten',
} as const;
