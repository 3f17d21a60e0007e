/** The calls that an import makes of the scheduler that runs. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { isJson, parseJson } from '../domain/json.ts';

interface Detail {
  readonly field: string;
  readonly why: string;
}

/** The scheduler can't be asked, or says no; the message says what to do. */
export class ImportError extends MesosupError {
  override name = 'ImportError';
  /** What is wrong with which field, where the scheduler said so. */
  readonly details: readonly Detail[];

  constructor(message: string, details: readonly Detail[] = []) {
    super(message);
    this.details = details;
  }
}

export interface PutAnswer {
  readonly deploymentId?: string;
  /** With `dryRun`: what would be done, step by step. */
  readonly steps?: readonly {
    readonly actions: readonly { readonly action: string; readonly app: string }[];
  }[];
}

const PATIENCE_MS = 60_000;

export class SchedulerClient {
  readonly url: string;
  readonly #headers: Record<string, string>;

  /** @param authorization as the header says it */
  constructor(url: string, authorization: string | undefined) {
    this.url = url.replace(/\/+$/, '');
    this.#headers = {
      'Content-Type': 'application/json',
      ...(authorization !== undefined && { Authorization: authorization }),
    };
  }

  /** Makes all of them what they are given as, in one deployment; others stay. */
  async putApps(apps: readonly object[], how: { dryRun: boolean; force: boolean }): Promise<PutAnswer> {
    const query = `partialUpdate=false&dryRun=${how.dryRun}&force=${how.force}`;
    const response = await fetch(`${this.url}/v2/apps?${query}`, {
      method: 'PUT',
      headers: this.#headers,
      body: JSON.stringify(apps),
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((error: Error) => {
      const { cause } = error;
      const why = cause instanceof Error && cause.message !== '' ? cause.message : error.message;
      throw new ImportError(`no scheduler answers at ${this.url}: ${why}. Say where it is with --url`);
    });
    const text = await response.text();
    if (!response.ok) throw refusal(this.url, response.status, text);
    return JSON.parse(text) as PutAnswer;
  }
}

const ADVICE: Readonly<Record<number, string>> = {
  401: 'give --credentials-file or --token-file',
  409: 'wait for the deployment, or put this one in its place with --force',
  413: 'start the scheduler with a larger --http_max_body for the time of the import, or import the file in parts',
  503: 'try again in a moment',
};

/** Of Marathon's error bodies. */
function refusal(url: string, status: number, text: string): ImportError {
  const body = parseJson(text);
  const details = detailsIn(body);
  const told = details.map(({ field, why }) => `${field} ${why}`).join('; ');
  const message = isJson(body) && typeof body.message === 'string' ? body.message.replace(/\.$/, '') : text;
  const advice = ADVICE[status];
  const todo = advice === undefined ? '' : `. What to do: ${advice}`;
  return new ImportError(`${url} answered ${status}: ${told || message.slice(0, 500)}${todo}`, details);
}

function detailsIn(body: unknown): Detail[] {
  if (!isJson(body) || !Array.isArray(body.details)) return [];
  return body.details.filter(isJson).map(({ path, errors }) => ({
    // `/healthChecks(0)/path`
    field: String(path)
      .slice(1)
      .replaceAll('/', '.')
      .replaceAll(/\((\d+)\)/g, '[$1]'),
    why: [errors].flat().join(', '),
  }));
}
