/** Schemas of deployments in v2. */

import * as z from 'zod';
import { emptyList, type Shown, time } from '../openapi/shown.ts';
import { readinessResult, v2AppSchemas, warning } from './app-schemas.ts';

const action = z.object({
  action: z.enum(['StartApplication', 'ScaleApplication', 'RestartApplication', 'StopApplication']),
  app: z.string(),
});

const steps = z.array(z.object({ actions: z.array(action) }));

const deployment = z.object({
  id: z.string(),
  version: time,
  affectedApps: z.array(z.string()),
  affectedPods: emptyList,
  steps,
  currentActions: z.array(action.extend({ readinessCheckResults: z.array(readinessResult) })),
  currentStep: z.number(),
  totalSteps: z.number(),
});

const single = deployment.extend({
  failures: z.number().meta({ description: 'Number of failed tasks of the versions that it deploys' }),
  rollbackOf: z.string().optional(),
});

const change = z
  .object({ version: time, deploymentId: z.string() })
  .meta({ description: 'The deployment that makes the change' });

const plan = z
  .object({
    steps,
    apps: z
      .array(v2AppSchemas.AppVersion)
      .optional()
      .meta({ description: 'With embed=draft: the definitions that would change, as they would be' }),
    warnings: z
      .array(warning.extend({ app: z.string() }))
      .optional()
      .meta({ description: 'With embed=draft: fields that were sent and have no effect' }),
  })
  .meta({ description: 'With dryRun: what the change would do' });

/** The answer to a request that changes apps or groups. */
const changeOrPlan = z.union([change, plan]);

/** Named as in the API's description. */
export const v2DeploymentSchemas = {
  Deployment: deployment,
  DeploymentDetails: single,
  DeploymentChange: change,
  DeploymentPlan: plan,
  ChangeAnswer: changeOrPlan,
};

export type ActionJson = Shown<typeof action>;
export type StepsJson = Shown<typeof steps>;
export type DeploymentJson = Shown<typeof deployment>;
export type SingleDeploymentJson = Shown<typeof single>;
export type PlanJson = Shown<typeof plan>;
export type ChangeJson = Shown<typeof change>;
