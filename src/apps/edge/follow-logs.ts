/** Reads the output of the tasks of an app, and follows it over replaced tasks. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../client/api-client.ts';
import { ApiError, undefinedIfMissing } from '../../client/api-error.ts';
import { isJson, parseJson } from '../../json.ts';
import { LineSplitter, type LogLine, type Stream } from '../log-lines.ts';

export interface LogOptions {
  /** `both` by default. */
  readonly stream?: Stream | undefined;
  /** Number of last lines of each stream of the tasks that run already. Default: all. */
  readonly tail?: number | undefined;
  /** Only output since then, of the tasks that run already: a duration or a time, see text/since.ts. Default: all. */
  readonly since?: string | undefined;
  readonly follow: boolean;
  /** True for a task that has just begun: a new leader may not have found its agent yet. */
  readonly isNew?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onLine: (line: LogLine) => Promise<void>;
  /** Remarks for people, such as the start of a new task. */
  readonly onNote: (text: string) => void;
}

/** A new leader answers within a minute. */
const PATIENCE_MS = 90_000;
/** Finds tasks whose events were missed while the leader changed. */
const POLL_MS = 5000;
/** How long the output of an app that was removed is awaited. */
const LAST_LINES_MS = 5000;
const AT_ONCE = 8;
const BEGUN = new Set(['TASK_RUNNING', 'TASK_FAILED', 'TASK_FINISHED']);

/** Reads the output of one task, which may have ended. @throws ApiError */
export async function readTaskLog(client: ApiClient, task: string, options: LogOptions): Promise<void> {
  const { stream = 'both', tail, since, follow, isNew, signal, onLine, onNote } = options;
  const splitter = new LineSplitter();
  const input = { path: { id: task }, query: { stream, tail, since, follow } };
  const limits = { signal, patienceMs: PATIENCE_MS, endsWith: ['end', 'error'], awaits: isNew };
  for await (const { type, data } of client.events('/v2/tasks/{id}/log', input, limits)) {
    const piece = parseJson(data);
    if (!isJson(piece)) continue;
    if (type === 'error') onNote(`${task}: ${piece.message}`);
    if (type !== 'stdout' && type !== 'stderr') continue;
    if (piece.lost !== undefined) {
      for (const text of splitter.endOf(type)) await onLine({ task, stream: type, text });
      onNote(`${task}: output was removed before it was read`);
    }
    for (const text of splitter.push(type, String(piece.text))) await onLine({ task, stream: type, text });
  }
  for (const rest of splitter.end()) await onLine({ task, ...rest });
}

/** Reads the output of all tasks of an app. With `follow`, ends when the app is removed. @throws ApiError */
export async function readAppLogs(client: ApiClient, app: string, options: LogOptions): Promise<void> {
  const tasks = await tasksOfApp(client, app, options.signal);
  if (tasks === undefined) throw new ApiError(`App '${app}' does not exist`, { status: 404 });
  if (options.follow) return new Follower(client, app, options).run(tasks);
  const left = [...tasks];
  const refused: ApiError[] = [];
  const work = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      try {
        await readTaskLog(client, task, options);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused.push(error);
        options.onNote(`${task}: ${error.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (refused[0] && refused.length === tasks.length) throw refused[0];
}

/** The task's agent may be lost, or the task removed; the output of the other tasks goes on. */
function isRefusal(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status !== undefined;
}

class Follower {
  readonly #client: ApiClient;
  readonly #app: string;
  readonly #options: LogOptions;
  readonly #seen = new Set<string>();
  /** Each resolves when the output of a task has ended. */
  readonly #streams: Promise<void>[] = [];
  /** Ends all streams. */
  readonly #done = new AbortController();
  readonly #failed = Promise.withResolvers<never>();

  constructor(client: ApiClient, app: string, options: LogOptions) {
    this.#client = client;
    this.#app = app;
    this.#options = { ...options, signal: AbortSignal.any([options.signal, this.#done.signal]) };
  }

  async run(tasks: readonly string[]): Promise<void> {
    for (const task of tasks) this.#begin(task, this.#options);
    this.#listen().catch(this.#failed.reject);
    try {
      await Promise.race([this.#poll(), this.#failed.promise]);
    } finally {
      this.#done.abort();
    }
  }

  #begin(task: string, options: LogOptions): void {
    if (this.#seen.has(task)) return;
    this.#seen.add(task);
    const stream = this.#read(task, options).catch((error: unknown) => {
      if (isRefusal(error)) options.onNote(`${task}: ${error.message}`);
      else this.#failed.reject(error);
    });
    this.#streams.push(stream);
  }

  async #read(task: string, options: LogOptions): Promise<void> {
    try {
      await readTaskLog(this.#client, task, options);
    } catch (error) {
      if (!isRefusal(error) || !error.fields.some(({ field }) => field === 'since')) throw error;
      options.onNote(`${task}: ${error.message}. Showing its new output.`);
      await readTaskLog(this.#client, task, { ...options, since: undefined, tail: 0 });
    }
  }

  /** A task that began after the command did: its output is read from the start. */
  #beginNew(task: string): void {
    if (this.#seen.has(task)) return;
    this.#options.onNote(`New task ${task}`);
    this.#begin(task, { ...this.#options, tail: undefined, since: undefined, isNew: true });
  }

  async #listen(): Promise<void> {
    const query = { event_type: 'status_update_event' };
    const limits = { signal: this.#options.signal, patienceMs: PATIENCE_MS };
    for await (const { data } of this.#client.events('/v2/events', { query }, limits)) {
      const event = parseJson(data);
      if (!isJson(event) || event.appId !== this.#app) continue;
      if (BEGUN.has(String(event.taskStatus))) this.#beginNew(String(event.taskId));
    }
  }

  async #poll(): Promise<void> {
    const { signal } = this.#options;
    for (;;) {
      await sleep(POLL_MS, undefined, { signal });
      const tasks = await tasksOfApp(this.#client, this.#app, signal);
      if (tasks === undefined) {
        // The last lines of its tasks may be on their way.
        await Promise.race([Promise.all(this.#streams), sleep(LAST_LINES_MS, undefined, { signal })]);
        this.#options.onNote(`The app ${this.#app} was removed.`);
        return;
      }
      for (const task of tasks) this.#beginNew(task);
    }
  }
}

/** The tasks that have started; undefined if there is no such app. */
async function tasksOfApp(client: ApiClient, id: string, signal: AbortSignal): Promise<string[] | undefined> {
  const limits = { signal, patienceMs: PATIENCE_MS };
  const found = await client
    .call('GET', '/v2/apps/{id}/tasks', { path: { id } }, limits)
    .catch(undefinedIfMissing);
  return found?.tasks.filter(({ startedAt }) => startedAt !== undefined).map((task) => task.id);
}
