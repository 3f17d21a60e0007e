/**
 * The tasks as files, one each, so that a worker that was killed finds what it had launched and what it had not
 * been told was received. Replaced by renaming, without fsync: they must outlive the process, not the machine,
 * since after a crash of the machine Mesos has failed the tasks.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Task } from './domain/executor-state.ts';
import { unknownTask } from './domain/tasks.ts';
import { hashOf } from './identity.ts';
import type { Log } from './log.ts';
import { parseTask, TaskFileError, taskText } from './stored-task.ts';

export class TaskStore {
  readonly #directory: string;
  #stored: ReadonlyMap<string, Task> = new Map();
  /** Files of a later release: left as they are for as long as their tasks live, so that it can go on with them. */
  readonly #later = new Set<string>();
  #isIncomplete = false;

  /** @param directory made where it is not there; for the owner's eyes only, since tasks may hold secrets */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /**
   * What the last worker left. A file that can't be read is told to the log and left alone. After a downgrade a later
   * release may have written it: its task goes on as one of which nothing is known, whose container has labels.
   */
  load(log: Log): ReadonlyMap<string, Task> {
    const tasks = new Map<string, Task>();
    for (const name of readdirSync(this.#directory).filter((n) => n.endsWith('.json'))) {
      const file = path.join(this.#directory, name);
      try {
        const task = parseTask(readFileSync(file, 'utf8'));
        tasks.set(task.id, task);
      } catch (error) {
        this.#isIncomplete = true;
        const { later, message: why } =
          error instanceof TaskFileError ? error : new TaskFileError(String(error));
        const { taskId } = later ?? {};
        if (later) this.#later.add(file);
        if (taskId !== undefined) tasks.set(taskId, unknownTask(taskId));
        log({
          level: 'error',
          msg: `${file} can't be read`,
          error: why,
          ...(taskId !== undefined && { task: taskId }),
        });
      }
    }
    this.#stored = tasks;
    return tasks;
  }

  /** True where `load` found files that it could not read: there may be containers of which it knows nothing. */
  get isIncomplete(): boolean {
    return this.#isIncomplete;
  }

  /** Makes the files agree with `tasks`; those that didn't change (the same object) are not written. */
  save(tasks: ReadonlyMap<string, Task>): void {
    for (const [id, task] of tasks) {
      const file = this.#fileOf(id);
      if (this.#stored.get(id) === task || this.#later.has(file)) continue;
      writeFileSync(`${file}.new`, taskText(task), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    for (const id of this.#stored.keys()) if (!tasks.has(id)) this.#forget(this.#fileOf(id));
    this.#stored = tasks;
  }

  #forget(file: string): void {
    rmSync(file, { force: true });
    this.#later.delete(file);
  }

  #fileOf(id: string): string {
    return path.join(this.#directory, `${hashOf(id)}.json`);
  }
}
