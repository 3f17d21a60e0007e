/**
 * Reads files of a task's sandbox. A container may replace its files by links at any time, and the agent's files API
 * follows links within the executor's sandbox. So files in the sandbox of a shared executor are read through the
 * executor, which follows none; in the sandbox of an executor of its own, a link leads to files of the same task at most.
 */

import { type FileEntry, type Found, MAX_ENTRIES } from '../../exec/files.ts';
import type { AgentFiles, Entry, Sandbox } from './agent-files.ts';
import type { ExecutorFiles } from './executor-files.ts';
import type { TaskPlace } from './task-place.ts';

export interface FileRange {
  readonly offset: number;
  readonly length: number;
}

export class TaskFiles {
  readonly #agents: AgentFiles;
  readonly #executors: ExecutorFiles;

  constructor(agents: AgentFiles, executors: ExecutorFiles) {
    this.#agents = agents;
    this.#executors = executors;
  }

  /** @param path names below the task's sandbox @throws AgentError */
  async read(place: TaskPlace, path: readonly string[], range: FileRange): Promise<Found> {
    const { agentId, host, taskId, executorIds, isShared } = place;
    const [executorId = taskId] = executorIds;
    if (isShared) {
      return this.#executors.read({ agentId, host, executorId }, { task: taskId, path, ...range });
    }
    return this.#readOwn({ ...place, executorId }, [...place.sandbox, ...path], range);
  }

  /** Reads from the agent. Only regular files are opened: another kind could block the agent. */
  async #readOwn(sandbox: Sandbox, path: readonly string[], { offset, length }: FileRange): Promise<Found> {
    if (path.length > 0) {
      const siblings = await this.#agents.list(sandbox, path.slice(0, -1).join('/'));
      const found = siblings?.find(({ name }) => name === path.at(-1));
      if (!found) return { type: 'missing' };
      if (typeOf(found) === 'other') return { type: 'refused', message: 'is not a regular file' };
      if (typeOf(found) === 'file') {
        const bytes = await this.#agents.read(sandbox, path.join('/'), offset, length);
        return bytes
          ? { type: 'file', size: found.size, bytes: bytes.subarray(0, length) }
          : { type: 'missing' };
      }
    }
    const entries = await this.#agents.list(sandbox, path.join('/'));
    if (!entries) return { type: 'missing' };
    const shown = entries.slice(0, MAX_ENTRIES).map(
      (entry): FileEntry => ({
        name: entry.name,
        type: typeOf(entry),
        size: entry.size,
        modifiedAt: Math.floor(entry.mtime * 1000),
      }),
    );
    return { type: 'directory', entries: shown, more: entries.length > MAX_ENTRIES };
  }
}

function typeOf({ mode }: Entry): FileEntry['type'] {
  return ({ '-': 'file', d: 'directory', l: 'link' } as const)[mode[0] ?? ''] ?? 'other';
}
