/** Saved plans: files with a plan and its cluster, which is all that an apply needs. They contain no secrets. */

import { readFile, writeFile } from 'node:fs/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import { replaceFile } from '../../cluster/edge/replace-file.ts';
import { storedCluster } from '../../cluster/stored-cluster.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
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
  const text = `${JSON.stringify({ format: 1, release: RELEASE, ...saved }, null, 2)}\n`;
  await replaceFile(file, 'Name another file with --out.', (draft) =>
    writeFile(draft, text, { mode: 0o600, flag: 'wx' }),
  );
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
