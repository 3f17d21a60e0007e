/** The order in which a deployment does things: what goes first, then what others depend on before them. */

import { ancestorsOf, isWithin } from '../../domain/app-id.ts';
import type { Action } from '../../domain/deployment.ts';

export interface Tree {
  /** What an app itself depends on: ids of apps and groups. */
  dependenciesOf(appId: string): readonly string[];
  groupDependenciesOf(groupId: string): readonly string[];
  /** All apps as they are to be. */
  readonly appIds: readonly string[];
}

export type Steps = { readonly steps: Action[][] } | { readonly cycle: string };

/** Source: Marathon's DeploymentPlan. Actions of one step have nothing to do with each other. */
export function orderSteps(actions: readonly Action[], tree: Tree): Steps {
  const stops = actions.filter(({ type }) => type === 'stop');
  const rest = actions.filter(({ type }) => type !== 'stop');
  const changed = new Set(rest.map(({ appId }) => appId));
  const layers = new Map<string, number>();
  const open = new Set<string>();
  let cycle: string | undefined;
  /** How many changed apps come one after the other before this one. */
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
