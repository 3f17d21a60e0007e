/** An operation of the API, as described in the OpenAPI document. */

import type * as z from 'zod';
import type { Needed } from '../access-rules.ts';

/** Schemas of an answer by media type. */
export type Answer = Readonly<Partial<Record<Media, z.ZodType>>>;
export type Media = 'json' | 'text' | 'html' | 'events' | 'bytes';

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** The pattern of the registered route, if it differs from `path`: ids are paths. */
  readonly route?: string;
  readonly summary: string;
  /** The role that it needs. Default: viewer for GET, operator for all others. Its route's `config` must agree. */
  readonly role?: Needed;
  readonly query?: readonly Parameter[];
  /** The name of a schema; in brackets, of the elements of an array. */
  readonly body?: string | readonly [string];
  /** Answers by status, without the refusals. An answer without a media type has no body. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Refusals in addition to those that every operation has. */
  readonly refusals?: readonly (403 | 404 | 409 | 412 | 422 | 502 | 503 | 504)[];
}

export type Parameter = keyof typeof PARAMETERS;

export const PARAMETERS = {
  agent: 'only tasks on the agent with this id',
  appId: 'id of the app, or * for all apps',
  cmd: 'only apps whose command contains this text',
  cursor: 'only items after the item with this id',
  containerNetworks:
    'text only; names of networks, separated by commas: ports without a host port are listed only for apps in them; *: for all',
  dryRun: 'true: return the plan, change nothing',
  embed: 'additional data to return, such as apps.tasks, or draft with dryRun; may be repeated',
  event_type: 'only events of this type; may be repeated',
  follow: 'true: wait for further output until the task has ended',
  fields:
    'only these fields of each item, separated by commas; all other fields are left out, even required ones',
  force: 'true: cancel running deployments that change the same apps',
  ifVersion:
    'only if the app has this version; otherwise 412, with who changed it, as far as the scheduler knows, and when',
  host: 'only tasks on this host, or * for all hosts',
  id: 'only apps whose id contains this text; for /v1/tasks/kill, the id of the task',
  label: 'only apps with these labels: name, name==value, name in (a, b), separated by commas',
  length: 'number of bytes to read',
  limit: 'maximum number of items; next in the answer is the cursor of the following page',
  offset: 'number of bytes to skip',
  partialUpdate: 'false: omitted fields get their defaults',
  path: "path of a directory or file, relative to the task's sandbox",
  'plan-format': 'light: plans without the states before and after the deployment',
  scale: 'true: reduce the instances of the app by the number of killed tasks',
  since: 'only output since then: a duration such as 10m or 2h30m, or a time such as 2026-01-31T14:05:00Z',
  status: 'running or staging; may be repeated',
  stream: 'stdout, stderr or both; both by default',
  tail: 'only so many last lines of each stream',
  wipe: 'true: also remove the tasks from the state, even if they are unreachable',
} as const;
