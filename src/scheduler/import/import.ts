/** Plans an import. */

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

/** What the deployment of an import would do with an app. */
export interface PlannedAction {
  readonly action: string;
  readonly app: string;
}

/** The scheduler rejects fields of the apps. */
export interface Rejection {
  readonly fields: readonly { readonly field: string; readonly why: string }[];
  /** For an answer that names fields of no single app. */
  readonly error: Error;
}

/** Asks the scheduler what creating or replacing these apps would do, without changing anything. */
export type PlanApps = (apps: readonly object[]) => Promise<readonly PlannedAction[] | Rejection>;

/** Plans an import, without changing anything. @throws the errors of `planApps` */
export async function planImport(
  planApps: PlanApps,
  { apps, problems, unsupported, warnings }: MarathonApps,
): Promise<ImportPlan> {
  if (problems.length > 0) return { apps: [], problems, unsupported, warnings };
  const answer = await planApps(apps);
  if ('fields' in answer) {
    const found = await findProblemsByApp(planApps, apps);
    if (found.length === 0) throw answer.error;
    return { apps: [], problems: found, unsupported, warnings };
  }
  const changes = new Map(answer.map(({ app, action }) => [app, CHANGES[action]]));
  const planned = apps.map(({ id, instances = 1 }) => ({
    id,
    change: changes.get(id) ?? 'keep',
    instances,
  }));
  return { apps: planned, problems, unsupported, warnings };
}

/** Plans each app separately, since the scheduler's answer is limited, and that of earlier releases doesn't name the app. */
async function findProblemsByApp(planApps: PlanApps, apps: MarathonApps['apps']): Promise<Remark[]> {
  const found: Remark[] = [];
  for (const app of apps) {
    const answer = await planApps([app]);
    if (!('fields' in answer)) continue;
    const own = answer.fields.map(({ field, why }) => ({
      id: app.id,
      field: field.replace(/^\[0\]\.?/, ''),
      why,
    }));
    found.push(...own);
  }
  return found;
}
