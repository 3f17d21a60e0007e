/**
 * The tasks as files, one each, so that a worker that was killed finds what it had launched and what it had not
 * been told was received. Replaced by renaming, without fsync: they must outlive the process, not the machine,
 * since after a crash of the machine Mesos has failed the tasks.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Task } from './domain/state.ts';
import { hashOf } from './identity.ts';
import type { Log } from './log.ts';

export class TaskStore {
  readonly #directory: string;
  #stored: ReadonlyMap<string, Task> = new Map();

  /** @param directory made where it is not there; for the owner's eyes only, since tasks may hold secrets */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** What the last worker left. A file that can't be read is told to the log and left alone. */
  load(log: Log): ReadonlyMap<string, Task> {
    const tasks = new Map<string, Task>();
    for (const name of readdirSync(this.#directory).filter((n) => n.endsWith('.json'))) {
      const file = path.join(this.#directory, name);
      try {
        const task = JSON.parse(readFileSync(file, 'utf8')) as Task;
        tasks.set(task.id, task);
      } catch (error) {
        log({ level: 'error', msg: `${file} can't be read`, error: String(error) });
      }
    }
    this.#stored = tasks;
    return tasks;
  }

  /** Makes the files agree with `tasks`; those that didn't change (the same object) are not written. */
  save(tasks: ReadonlyMap<string, Task>): void {
    for (const [id, task] of tasks) {
      if (this.#stored.get(id) === task) continue;
      const file = this.#fileOf(id);
      writeFileSync(`${file}.new`, JSON.stringify(task), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    for (const id of this.#stored.keys()) if (!tasks.has(id)) rmSync(this.#fileOf(id), { force: true });
    this.#stored = tasks;
  }

  #fileOf(id: string): string {
    return path.join(this.#directory, `${hashOf(id)}.json`);
  }
}
