/** Opens the output of tasks, and limits how many clients follow it. */

import { isTerminal } from '../../mesos/types.ts';
import type { StateEvent } from '../domain/events.ts';
import type { State } from '../domain/state.ts';
import type { Task } from '../domain/task.ts';
import { AgentError } from './agent-addresses.ts';
import type { AgentFiles, Sandbox } from './agent-files.ts';
import type { LogDirectory } from './log-file.ts';
import { type Positions, STREAMS, type StreamName } from './log-position.ts';
import { type From, type StartedLog, startLog } from './log-start.ts';
import { placeOf, type TaskPlace } from './task-place.ts';

/** A task has ended: its last state before the update. */
export interface EndedTaskNotice {
  readonly ended: Task;
}

/** @param state the state before the event */
export function endedTaskNotice(state: State, event: StateEvent): EndedTaskNotice | undefined {
  if (event.type !== 'task_updated' || !isTerminal(event.state)) return undefined;
  const ended = state.tasks.get(event.taskId);
  return ended && { ended };
}

/** Ended tasks to remember. */
const MAX_ENDED = 2000;
/** Clients that read logs at the same time. */
const MAX_READERS = 200;

export interface LogRequest {
  readonly streams: readonly StreamName[];
  /** Number of last lines of each stream. */
  readonly tail?: number;
  /** Only output since then, in milliseconds since the epoch. */
  readonly since?: number;
  /** Where an earlier request ended. */
  readonly positions?: Positions;
}

export class TaskLogs {
  readonly #files: AgentFiles;
  readonly #ended = new Map<string, Task>();
  #readers = 0;

  constructor(files: AgentFiles) {
    this.#files = files;
  }

  /** Remembers a task whose last update has come. */
  remember(task: Task): void {
    this.#ended.delete(task.id);
    this.#ended.set(task.id, task);
    for (const id of this.#ended.keys()) {
      if (this.#ended.size <= MAX_ENDED) return;
      this.#ended.delete(id);
    }
  }

  /** @returns undefined for an unknown task */
  placeOf(state: State, taskId: string): TaskPlace | undefined {
    return placeOf(state, taskId, this.#ended);
  }

  /** @returns false if too many clients read logs */
  addReader(): boolean {
    if (this.#readers >= MAX_READERS) return false;
    this.#readers += 1;
    return true;
  }

  removeReader(): void {
    this.#readers -= 1;
  }

  /** @throws AgentError, with 404 if there is no output @throws NoTimesError if the output has no times for `since` */
  async open(
    place: TaskPlace,
    { streams, tail, since, positions }: LogRequest,
  ): Promise<ReadonlyMap<StreamName, StartedLog>> {
    const { launchedAt } = place;
    // Then all of the output is wanted, for which it needs no times.
    const isBeforeLaunch = since !== undefined && launchedAt !== undefined && since <= launchedAt;
    const directory = await this.#find(place);
    const logs = new Map<StreamName, StartedLog>();
    for (const stream of STREAMS.filter((one) => streams.includes(one))) {
      const position = positions?.[stream];
      const from: From = position
        ? { position }
        : {
            ...(tail !== undefined && { lines: tail }),
            ...(since !== undefined && !isBeforeLaunch && { since }),
          };
      const log = await startLog(directory, stream, from);
      // A file that can't be read is refused before an answer has begun.
      await log.file.peek();
      logs.set(stream, log);
    }
    return logs;
  }

  async #find({ executorIds, directories, ...place }: TaskPlace): Promise<LogDirectory> {
    for (const executorId of executorIds) {
      for (const path of directories) {
        const sandbox: Sandbox = { ...place, executorId };
        const entries = await this.#files.list(sandbox, path);
        if (entries?.some(({ name }) => name === 'stdout')) return this.#directory(sandbox, path);
      }
    }
    throw new AgentError(
      `The agent on ${place.host} has no output of the task '${place.taskId}': it has not started yet, or Mesos has removed its sandbox`,
      404,
    );
  }

  #directory(sandbox: Sandbox, path: string): LogDirectory {
    const within = (name: string) => (path === '' ? name : `${path}/${name}`);
    return {
      read: (name, offset, length) => this.#files.read(sandbox, within(name), offset, length),
      list: async () => (await this.#files.list(sandbox, path)) ?? [],
    };
  }
}
