/** Saved plans: files with a plan and its cluster, which is all that an apply needs. They contain no secrets. */

import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import { storedCluster } from '../../cluster/stored-cluster.ts';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { unreadable } from '../../errors/unreadable.ts';
import { isJson, parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored, type StoredFile } from '../../stored/file.ts';
import { readerOf } from '../../stored/reader.ts';
import { record } from '../../stored/record.ts';
import type { Plan } from '../plan.ts';
import { storedPlan } from '../stored-plan.ts';

export interface SavedPlan {
  readonly plan: Plan;
  readonly cluster: Cluster;
}

const PLAN_FILE: StoredFile<SavedPlan> = {
  format: 1,
  read: readerOf(record<SavedPlan>({ plan: storedPlan, cluster: storedCluster })),
};

/** Writes the file atomically, readable by its owner only. */
export async function savePlan(file: string, saved: SavedPlan): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, `${JSON.stringify({ format: 1, release: RELEASE, ...saved }, null, 2)}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MesosupError(`${file} can't be written: ${code ?? message}`, {
      remedy: 'Name another file with --out.',
      cause: error,
    });
  }
}

/** @throws UsageError for a file that is not a plan */
export async function readPlan(file: string): Promise<SavedPlan> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const value = parseJson(text);
  const saved = isPlan(value)
    ? readStored(value, PLAN_FILE, (why, remedy = 'Make a new plan with "mesosup plan --out".') => {
        return new UsageError(`${file} ${why}`, { path: file, remedy });
      })
    : undefined;
  if (!saved) {
    const remedy = /\.ya?ml$/.test(file)
      ? `Name a cluster file with a flag: mesosup install --file ${file}`
      : 'Make a plan with: mesosup plan --out FILE';
    throw new UsageError(`${file} is not a plan`, { path: file, remedy });
  }
  return saved;
}

/** Checks for the keys of a plan, since files of other kinds have a format, too. */
function isPlan(value: unknown): boolean {
  return isJson(value) && 'plan' in value && 'cluster' in value;
}
