/** Where registries are kept: nowhere, in a file, in a znode. */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { isZooKeeperError, type ZooKeeperSession } from '../../zookeeper/client.ts';
import type { Registry, RegistryStore } from './registry.ts';

/** `--registry=in_memory`: forgotten with the process. */
export const memoryStore: RegistryStore = {
  load: async () => undefined,
  save: async () => {},
};

/**
 * Makes `work_dir/replicated_log`, which every master has that takes part in keeping a registry: installers tell by
 * it who does. @returns its path
 */
export function registryDirectory(workDir: string): string {
  const path = join(workDir, 'replicated_log');
  mkdirSync(path, { recursive: true });
  return path;
}

/** For a master on its own. */
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

/** @throws MesosupError where the file is damaged */
function registryIn(path: string): Registry {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Registry;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new MesosupError(`${path} is damaged`, {
      path,
      remedy: 'Put back a copy of it; without one remove it, and the agents register anew.',
      cause,
    });
  }
}

/**
 * For masters that elect a leader. Each write names the version that was read or written last, so that a master
 * which was deposed without noticing can't overwrite what its successor wrote. A znode holds 1 MB, some 2,000 agents.
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
  /** The connection broke before the answer: @returns whether the write was made all the same. */
  const wasWritten = async (data: Buffer): Promise<boolean> => {
    const znode = await session.get(path);
    if (!znode?.data.equals(data)) return false;
    version = znode.version;
    return true;
  };
  return {
    async load() {
      const znode = await repeated(() => session.get(path));
      version = znode?.version;
      return znode && (JSON.parse(znode.data.toString('utf8')) as Registry);
    },
    async save(registry) {
      const data = Buffer.from(JSON.stringify(registry), 'utf8');
      try {
        await write(data);
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
        await repeated(async () => {
          if (!(await wasWritten(data))) await write(data);
        });
      }
    },
  };
}

/** Requests wait while the session is suspended, so this does not spin. */
async function repeated<T>(request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
    }
  }
}
