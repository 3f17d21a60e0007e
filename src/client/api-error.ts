/** The scheduler refuses a request, or can't be reached. */

import { MesosupError } from '../errors/mesosup-error.ts';
import { isJson, parseJson } from '../json.ts';

/** A rejected field with the reason. */
export interface RejectedField {
  /** For example `healthChecks[0].path`; empty for the entire body. */
  readonly field: string;
  readonly why: string;
}

export class ApiError extends MesosupError {
  override name = 'ApiError';
  /** The HTTP status; undefined if there was no answer. */
  readonly status: number | undefined;
  /** The rejected fields, if the scheduler named them. */
  readonly fields: readonly RejectedField[];
  /** The deployments that lock the apps, for status 409. */
  readonly deployments: readonly string[];

  constructor(
    message: string,
    {
      status,
      fields = [],
      deployments = [],
      remedy,
      failure,
    }: Partial<Pick<ApiError, 'status' | 'fields' | 'deployments' | 'remedy' | 'failure'>> = {},
  ) {
    super(message, { remedy, failure });
    this.status = status;
    this.fields = fields;
    this.deployments = deployments;
  }
}

/** For `catch`: undefined if the scheduler answers that there is no such thing. @throws any other error */
export function undefinedIfMissing(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}

/** What to do about failures: by the status of a refusal, and if nothing answers. */
export interface Remedies {
  readonly [status: number]: string;
  readonly unreachable?: string;
}

interface Refusal {
  readonly url: string;
  readonly status: number;
  /** The body of the answer. */
  readonly text: string;
  /** Override the usual ones. */
  readonly remedies?: Remedies | undefined;
}

const REMEDIES: Remedies = {
  401: 'Check the user and password, or the token. For a command, add a context with "mesosup context add".',
  412: 'Show the app with "mesosup app show APP", and run the command again if the change is still right.',
  413: 'Send fewer apps at once, or start the scheduler with a larger --http_max_body.',
  503: 'Try again in a moment.',
};
const MAX_TEXT = 500;

/** Creates an error from the body of a refusal, in the formats of v1 and v2. */
export function refusalOf({ url, status, text, remedies }: Refusal): ApiError {
  const body = parseJson(text);
  const fields = fieldsOf(body);
  const deployments = isJson(body) ? idsIn(body.deployments) : [];
  const usual = deployments.length > 0 ? lockRemedy(deployments) : REMEDIES[status];
  const remedy = remedies?.[status] ?? usual;
  return new ApiError(`${url}: ${reasonOf(body, fields, deployments) ?? plain(status, text)}`, {
    status,
    fields,
    deployments,
    remedy,
  });
}

function reasonOf(
  body: unknown,
  fields: readonly RejectedField[],
  deployments: readonly string[],
): string | undefined {
  if (deployments.length > 0) return `the app is being changed by deployment ${deployments.join(', ')}`;
  if (fields.length > 0) return fields.map(({ field, why }) => `${field} ${why}`.trim()).join('; ');
  if (!isJson(body) || typeof body.message !== 'string') return undefined;
  return body.message.replace(/\.$/, '');
}

function plain(status: number, text: string): string {
  const first = text.trim().split('\n', 1)[0]?.slice(0, MAX_TEXT);
  return `status ${status}${first ? `: ${first}` : ''}`;
}

function lockRemedy(deployments: readonly string[]): string {
  return `Wait for it with "mesosup app deployments watch ${deployments[0]}", or replace it with --force.`;
}

function fieldsOf(body: unknown): RejectedField[] {
  if (!isJson(body)) return [];
  if (Array.isArray(body.details)) {
    return body.details.filter(isJson).map(({ path, errors }) => ({
      field: fieldName(String(path ?? '')),
      why: Array.isArray(errors) ? errors.join(', ') : '',
    }));
  }
  if (!Array.isArray(body.errors)) return [];
  return body.errors
    .filter(isJson)
    .map(({ attribute, error }) => ({ field: String(attribute ?? ''), why: String(error ?? '') }));
}

/** Converts `/healthChecks(0)/path` to `healthChecks[0].path`. */
function fieldName(path: string): string {
  return path
    .replace(/^\//, '')
    .replaceAll('/', '.')
    .replaceAll(/\((\d+)\)/g, '[$1]');
}

function idsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(isJson).map(({ id }) => String(id)) : [];
}
