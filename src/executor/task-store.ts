/**
 * Stores each task in a file, so that a restarted worker finds launched tasks and unacknowledged updates. Files are
 * replaced by renaming, without fsync: they must survive a crash of the process, not of the machine, because Mesos
 * fails the tasks after a crash of the machine.
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
  /** Files of a later release. They stay unchanged while their tasks live, so that the later release can use them. */
  readonly #later = new Set<string>();
  #isIncomplete = false;

  /** @param directory created if missing; readable by the owner only, since tasks may contain secrets */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Loads the tasks of the previous worker. A file that can't be read is logged and left unchanged. After a downgrade, a
   * later release may have written it: its task continues as an unknown task, whose container is found by its labels.
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

  /** The tasks that were loaded or saved last. */
  get tasks(): ReadonlyMap<string, Task> {
    return this.#stored;
  }

  /** True if `load` found files that it could not read, so that containers of unknown tasks may exist. */
  get isIncomplete(): boolean {
    return this.#isIncomplete;
  }

  /** Writes `tasks` to the files. Unchanged tasks (same object) are skipped. */
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
