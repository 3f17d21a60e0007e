/** Plans an import. */

import { ImportError, type SchedulerClient } from './client.ts';
import type { MarathonApps, Remark } from './marathon.ts';

export type Change = 'create' | 'replace' | 'scale' | 'keep';

export interface ImportPlan {
  readonly apps: readonly { readonly id: string; readonly change: Change; readonly instances: unknown }[];
  readonly problems: readonly Remark[];
  readonly unsupported: readonly Remark[];
  readonly warnings: readonly Remark[];
}

const CHANGES: Readonly<Record<string, Change>> = {
  StartApplication: 'create',
  RestartApplication: 'replace',
  ScaleApplication: 'scale',
};

/**
 * Asks the scheduler for the plan of an import, without changing anything.
 * @throws ImportError
 */
export async function planImport(
  client: SchedulerClient,
  { apps, problems, unsupported, warnings }: MarathonApps,
  force: boolean,
): Promise<ImportPlan> {
  if (problems.length > 0) return { apps: [], problems, unsupported, warnings };
  try {
    const { steps } = await client.planApps(apps, force);
    const actions = steps.flatMap((step) => step.actions);
    const changes = new Map(actions.map(({ app, action }) => [app, CHANGES[action]]));
    const planned = apps.map(({ id, instances = 1 }) => ({
      id,
      change: changes.get(id) ?? 'keep',
      instances,
    }));
    return { apps: planned, problems, unsupported, warnings };
  } catch (error) {
    if (!(error instanceof ImportError) || error.details.length === 0) throw error;
    const found = await findProblemsByApp(client, apps, force);
    if (found.length === 0) throw error;
    return { apps: [], problems: found, unsupported, warnings };
  }
}

/** Plans each app separately, since the scheduler's answer is limited, and that of earlier releases doesn't name the app. */
async function findProblemsByApp(
  client: SchedulerClient,
  apps: MarathonApps['apps'],
  force: boolean,
): Promise<Remark[]> {
  const found: Remark[] = [];
  for (const app of apps) {
    try {
      await client.planApps([app], force);
    } catch (error) {
      if (!(error instanceof ImportError) || error.details.length === 0) throw error;
      found.push(
        ...error.details.map(({ field, why }) => ({
          id: app.id,
          field: field.replace(/^\[0\]\.?/, ''),
          why,
        })),
      );
    }
  }
  return found;
}
