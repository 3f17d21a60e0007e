/** Orders the actions of a deployment: stops first, then dependencies before the apps that depend on them. */

import { ancestorsOf, isWithin } from '../../domain/app-id.ts';
import type { Action } from '../../domain/deployment.ts';

export interface Tree {
  /** Ids of the apps and groups that an app itself depends on. */
  dependenciesOf(appId: string): readonly string[];
  groupDependenciesOf(groupId: string): readonly string[];
  /** All apps after the change. */
  readonly appIds: readonly string[];
}

export type Steps = { readonly steps: Action[][] } | { readonly cycle: string };

/** Groups actions into steps. Actions within a step are independent. Source: Marathon's DeploymentPlan. */
export function orderSteps(actions: readonly Action[], tree: Tree): Steps {
  const stops = actions.filter(({ type }) => type === 'stop');
  const rest = actions.filter(({ type }) => type !== 'stop');
  const changed = new Set(rest.map(({ appId }) => appId));
  const layers = new Map<string, number>();
  const open = new Set<string>();
  let cycle: string | undefined;
  /** @returns the length of the longest chain of changed dependencies before this app */
  const layerOf = (appId: string): number => {
    const known = layers.get(appId);
    if (known !== undefined) return known;
    if (open.has(appId)) {
      cycle ??= appId;
      return 0;
    }
    open.add(appId);
    let layer = 0;
    for (const before of findDependencies(appId, tree)) {
      layer = Math.max(layer, layerOf(before) + (changed.has(before) ? 1 : 0));
    }
    open.delete(appId);
    layers.set(appId, layer);
    return layer;
  };
  const steps: Action[][] = [];
  for (const action of rest) {
    const layer = layerOf(action.appId);
    while (steps.length <= layer) steps.push([]);
    steps[layer]?.push(action);
  }
  if (cycle !== undefined) return { cycle };
  return { steps: [stops, ...steps].filter((step) => step.length > 0) };
}

function findDependencies(appId: string, tree: Tree): string[] {
  const named = [
    ...tree.dependenciesOf(appId),
    ...ancestorsOf(appId).flatMap((group) => tree.groupDependenciesOf(group)),
  ];
  if (named.length === 0) return [];
  const wanted = new Set(named);
  return tree.appIds.filter(
    (id) => id !== appId && (wanted.has(id) || named.some((group) => isWithin(id, group))),
  );
}
