/**
 * Decides if a change of Docker ends containers. Docker keeps containers over a restart of its engine with
 * `live-restore`, and supports this only between patch releases of one version (docs.docker.com, "Live restore").
 */

import { isJson, parseJson } from '../../json.ts';
import type { Facts } from '../facts.ts';
import { installedPackage } from '../package-state.ts';
import type { PlanItem } from '../plan.ts';
import { DOCKER_CONFIG, DOCKER_SERVICE } from '../wanted/docker.ts';

/** Packages that contain the engine. */
const ENGINES = ['docker.io', 'docker-ce'];

/** @returns the reason, or undefined if containers keep running */
export function whyContainersEnd(facts: Facts, items: readonly PlanItem[]): string | undefined {
  const restarts = items.some(({ id, action }) => id === `service:${DOCKER_SERVICE}` && action === 'restart');
  const engine = items.find(
    ({ resource }) => resource?.kind === 'package' && ENGINES.includes(resource.name),
  )?.resource;
  if (!restarts && engine === undefined) return undefined;
  if (!hasLiveRestore(facts)) return `its Docker runs without live-restore (${DOCKER_CONFIG})`;
  if (engine?.kind !== 'package' || engine.version === undefined) return undefined;
  const from = installedPackage(facts, engine.name)?.version ?? '';
  const [was, is] = [seriesOf(from), seriesOf(engine.version)];
  return was === is ? undefined : `Docker ${is} does not keep the containers of Docker ${was}`;
}

/** As the engine was last started: a change of the file in the same plan comes too late for its containers. */
function hasLiveRestore({ files }: Facts): boolean {
  const settings = parseJson(files[DOCKER_CONFIG]?.text ?? '');
  return isJson(settings) && settings['live-restore'] === true;
}

/** Returns the first two numbers, without the epoch: `29.0` of `5:29.0.1-1~debian.12~bookworm`. */
function seriesOf(version: string): string {
  return /^(?:\d+:)?(\d+\.\d+)/.exec(version)?.[1] ?? version;
}
