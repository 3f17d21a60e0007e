/** Stores of the registry: memory, a file, a znode. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { isZooKeeperError, type ZooKeeperSession } from '../../zookeeper/client.ts';
import type { Registry, RegistryStore } from './registry.ts';

/** `--registry=in_memory`: lost at the end of the process. */
export const memoryStore: RegistryStore = {
  load: async () => undefined,
  save: async () => {},
};

/**
 * Creates `work_dir/replicated_log`, which every master with a registry has. Installers recognize these masters by it.
 * @returns its path
 */
export function registryDirectory(workDir: string): string {
  const path = join(workDir, 'replicated_log');
  mkdirSync(path, { recursive: true });
  return path;
}

/** For a single master. */
export function fileStore(directory: string): RegistryStore {
  const path = join(directory, 'registry.json');
  return {
    load: async () => (existsSync(path) ? registryIn(path) : undefined),
    async save(registry) {
      writeFileSync(`${path}.tmp`, JSON.stringify(registry), { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
    },
  };
}

/** @throws MesosupError if the file is damaged */
function registryIn(path: string): Registry {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Registry;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new MesosupError(`${path} is damaged`, {
      path,
      remedy:
        'Restore the file from a copy. Without a copy, remove it; the agents then register as new agents.',
      cause,
    });
  }
}

/**
 * For masters that elect a leader. Each write names the version of the last read or write, so that a former leader that
 * has not noticed its end can't overwrite its successor's registry. A znode can store 1 MB, about 2,000 agents.
 */
export function znodeStore(session: ZooKeeperSession, path: string): RegistryStore {
  let version: number | undefined;
  const write = async (data: Buffer): Promise<void> => {
    if (version === undefined) {
      await session.create(path, data, 'creator');
      version = 0;
    } else {
      version = (await session.set(path, data, version)).version;
    }
  };
  /** Checks after a lost connection if the write was made. */
  const wasWritten = async (data: Buffer): Promise<boolean> => {
    const znode = await session.get(path);
    if (!znode?.data.equals(data)) return false;
    version = znode.version;
    return true;
  };
  return {
    async load() {
      const znode = await retryUntilAnswered(() => session.get(path));
      version = znode?.version;
      return znode && (JSON.parse(znode.data.toString('utf8')) as Registry);
    },
    async save(registry) {
      const data = Buffer.from(JSON.stringify(registry), 'utf8');
      try {
        await write(data);
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
        await retryUntilAnswered(async () => {
          if (!(await wasWritten(data))) await write(data);
        });
      }
    },
  };
}

/** Repeats a request until it is answered. Requests wait while the session is suspended, so this does not spin. */
async function retryUntilAnswered<T>(request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
    }
  }
}
