/** Tables of deployments. */

import type { DeploymentJson, SingleDeploymentJson } from '../scheduler/api/v2/deployment-schemas.ts';
import { type Column, renderTable, type TableOptions } from '../text/table.ts';
import { age } from './units.ts';

const WORDS = {
  StartApplication: 'starts',
  ScaleApplication: 'scales',
  RestartApplication: 'replaces the tasks of',
  StopApplication: 'stops',
};

/** @param now milliseconds since the epoch */
export function deploymentsTable(
  deployments: readonly DeploymentJson[],
  now: number,
  options: TableOptions,
): string {
  const columns: readonly Column<DeploymentJson>[] = [
    { title: 'DEPLOYMENT', cell: ({ id }) => id, shrinkTo: 13 },
    { title: 'STEP', cell: ({ currentStep, totalSteps }) => `${currentStep}/${totalSteps}`, right: true },
    { title: 'AGE', cell: ({ version }) => age(version, now), right: true, drop: 2 },
    { title: 'APPS', cell: ({ affectedApps }) => affectedApps.join(' '), shrinkTo: 20 },
  ];
  return renderTable(columns, deployments, options);
}

/** Shows each step, and marks the current one. */
export function describeDeployment({
  id,
  version,
  failures,
  rollbackOf,
  steps,
  currentStep,
}: SingleDeploymentJson): string {
  const lines = steps.flatMap(({ actions }, i) =>
    actions.map(
      ({ action, app }) => `${i + 1 === currentStep ? '→' : ' '} step ${i + 1}: ${WORDS[action]} ${app}`,
    ),
  );
  return [
    `Deployment    ${id}`,
    `Version       ${version}`,
    `Failed tasks  ${failures}`,
    ...(rollbackOf === undefined ? [] : [`Rolls back    ${rollbackOf}`]),
    '',
    ...lines,
  ].join('\n');
}
