/** Calls the running scheduler for an import. */

import type * as z from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { errorSchemas } from '../api/openapi/error-schemas.ts';
import { v2DeploymentSchemas } from '../api/v2/deployment-schemas.ts';

interface Detail {
  readonly field: string;
  readonly why: string;
}

/** The scheduler can't be reached or rejects the apps; the message says what to do. */
export class ImportError extends MesosupError {
  override name = 'ImportError';
  /** The rejected fields with reasons, if the scheduler named them. */
  readonly details: readonly Detail[];

  constructor(message: string, details: readonly Detail[] = []) {
    super(message);
    this.details = details;
  }
}

const { DeploymentChange, DeploymentPlan } = v2DeploymentSchemas;

const TIMEOUT_MS = 60_000;

export class SchedulerClient {
  readonly url: string;
  readonly #headers: Record<string, string>;
  readonly #advice: string;

  /**
   * @param authorization value of the Authorization header
   * @param advice what to do if nothing answers at the URL
   */
  constructor(url: string, authorization: string | undefined, advice = 'Set its address with --url') {
    this.#advice = advice;
    this.url = url.replace(/\/+$/, '');
    this.#headers = {
      'Content-Type': 'application/json',
      ...(authorization !== undefined && { Authorization: authorization }),
    };
  }

  /** Creates or replaces these apps in one deployment; other apps stay. */
  async putApps(apps: readonly object[], force: boolean): Promise<z.output<typeof DeploymentChange>> {
    return this.#put(apps, `dryRun=false&force=${force}`, DeploymentChange);
  }

  /** @returns the plan of `putApps`, without changing anything */
  async planApps(apps: readonly object[], force: boolean): Promise<z.output<typeof DeploymentPlan>> {
    return this.#put(apps, `dryRun=true&force=${force}`, DeploymentPlan);
  }

  /** @returns the parsed body of an answer to GET; undefined if it is not JSON */
  async get(path: string): Promise<unknown> {
    return parseJson(await this.#request('GET', path));
  }

  async delete(path: string): Promise<void> {
    await this.#request('DELETE', path);
  }

  async #put<T>(apps: readonly object[], how: string, answer: z.ZodType<T>): Promise<T> {
    const text = await this.#request('PUT', `/v2/apps?partialUpdate=false&${how}`, apps);
    const parsed = answer.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    throw new ImportError(`${this.url} does not answer like a mesosup scheduler: check --url`);
  }

  /** @returns the body of the answer */
  async #request(method: string, path: string, body?: unknown): Promise<string> {
    const unreachable = (error: Error): never => {
      const { cause } = error;
      const why = cause instanceof Error && cause.message !== '' ? cause.message : error.message;
      throw new ImportError(`no scheduler answers at ${this.url}: ${why}. ${this.#advice}`);
    };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: this.#headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(unreachable);
    const text = await response.text().catch(unreachable);
    if (!response.ok) throw refusalError(this.url, response.status, text);
    return text;
  }
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'set --credentials-file or --token-file',
  409: 'wait for the deployment to end, or replace it with --force',
  413: 'restart the scheduler with a larger --http_max_body during the import, or import the file in parts',
  503: 'try again in a moment',
};

/** Creates an error from one of Marathon's error bodies. */
function refusalError(url: string, status: number, text: string): ImportError {
  const body = errorSchemas.Invalid.safeParse(parseJson(text)).data;
  const details = (body?.details ?? []).map(detailOf);
  const fieldTexts = details.map(({ field, why }) => `${field} ${why}`).join('; ');
  const message = body?.message.replace(/\.$/, '') ?? text;
  const advice = ADVICE[status];
  const hint = advice === undefined ? '' : `. What to do: ${advice}`;
  return new ImportError(`${url} answered ${status}: ${fieldTexts || message.slice(0, 500)}${hint}`, details);
}

function detailOf({ path, errors }: { path: string; errors: readonly string[] }): Detail {
  // `/healthChecks(0)/path`, or `(0)/cpus` for an app of a list.
  const field = path
    .replace(/^\//, '')
    .replaceAll('/', '.')
    .replaceAll(/\((\d+)\)/g, '[$1]');
  return { field, why: errors.join(', ') };
}
