import { setTimeout as sleep } from 'node:timers/promises';
import { MesosupError } from '../errors/mesosup-error.ts';
import { type Answer, request, textOf } from './request.ts';

/** The demo's app, as the 2013 page posts it. */
export interface DemoApp {
  id: string;
  instances: number;
  mem: number;
  cpus: number;
  executor: string;
  cmd: string;
  /** Service ports; without, the scheduler chooses one. */
  ports?: number[];
}

export interface Endpoint {
  host: string;
  port: number;
}

/** The scheduler's event about a task. */
export interface TaskUpdate {
  appId: string;
  taskStatus: string;
  host: string;
  ports: number[];
}

const RETRY_MS = 5;
/** The beginning of a line of the event stream. */
const DATA = 'data: ';

/** Reads the text of `/v1/endpoints`: the instances of one app. */
export function parseEndpoints(text: string, app: string): Endpoint[] {
  const line = text.split('\n').find((l) => l.split(' ')[0] === app);
  return (line?.trim().split(' ').slice(2) ?? []).map((pair) => {
    const at = pair.lastIndexOf(':');
    return { host: pair.slice(0, at), port: Number(pair.slice(at + 1)) };
  });
}

/** The demo's calls to its scheduler. */
export class SchedulerApi {
  readonly url: string;
  readonly #signal: AbortSignal;

  /** @param signal aborts all calls and waits */
  constructor(url: string, signal: AbortSignal) {
    this.url = url;
    this.#signal = signal;
  }

  /**
   * Opens the event stream as soon as the scheduler listens. Yields undefined once it is open, and then each update of a
   * task.
   */
  async *updates(): AsyncGenerator<TaskUpdate | undefined> {
    const answer = await this.#whenListening('/v2/events?event_type=status_update_event');
    if (answer.statusCode !== 200) {
      throw new MesosupError(`${this.url}/v2/events answered ${answer.statusCode}`);
    }
    yield undefined;
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith(DATA)) yield JSON.parse(line.slice(DATA.length));
    }
  }

  /** @throws MesosupError with the scheduler's answer if it refuses the app */
  async startApp(app: DemoApp): Promise<void> {
    const answer = await request(`${this.url}/v1/apps/start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(app),
      signal: this.#signal,
    });
    const text = await textOf(answer);
    if (answer.statusCode !== 204) {
      throw new MesosupError(`the scheduler refused app ${app.id}: ${answer.statusCode} ${text}`);
    }
  }

  async endpoints(app: string): Promise<Endpoint[]> {
    return parseEndpoints(await this.#text('/v1/endpoints'), app);
  }

  /** The reasons why instances of the app are waiting; empty if none is. */
  async waitingReasons(app: string): Promise<string> {
    const { queue } = await this.json<{
      queue: { app: { id: string }; processedOffersSummary: { reasons: string[] } }[];
    }>('/v2/queue');
    const entry = queue.find(({ app: { id } }) => id === app || id === `/${app}`);
    return entry?.processedOffersSummary.reasons.join('; ') ?? '';
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse(await this.#text(path, 'application/json')) as T;
  }

  async #text(path: string, accept = 'text/plain'): Promise<string> {
    const answer = await request(this.url + path, { headers: { accept }, signal: this.#signal });
    const text = await textOf(answer);
    if (answer.statusCode !== 200) throw new MesosupError(`${this.url}${path} answered ${answer.statusCode}`);
    return text;
  }

  async #whenListening(path: string): Promise<Answer> {
    for (;;) {
      try {
        return await request(this.url + path, {
          headers: { accept: 'text/event-stream' },
          signal: this.#signal,
        });
      } catch (error) {
        this.#signal.throwIfAborted();
        if ((error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED') throw error;
        await sleep(RETRY_MS, undefined, { signal: this.#signal });
      }
    }
  }
}
