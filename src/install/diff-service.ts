/** What differs between a wanted service and the host's. */

import type { Facts, ServiceFacts } from './facts.ts';
import type { PlanAction, PlanItem } from './plan.ts';
import { resourceId, type ServiceResource } from './resources.ts';

export interface ServiceDiffInput {
  readonly facts: Facts;
  /** The plan so far. */
  readonly before: readonly PlanItem[];
  /** The unit or job is a file of the wanted state; else a package brings it. */
  readonly unitIsOurs: boolean;
  /** It is the Mesos agent, whose tasks end with it. */
  readonly isAgent: boolean;
}

/** Undefined when it is as it should be. At most one item: applying it makes the whole resource true. */
export function diffService(resource: ServiceResource, input: ServiceDiffInput): PlanItem | undefined {
  const found = input.facts.services[resource.name];
  if (resource.masked) return diffMasked(resource, found, input);
  const step = stepOf(resource, found, input);
  if (step === undefined) return undefined;
  const { action, reason } = step;
  const [also] = enablement(resource, found, input);
  const words = [also !== undefined && also !== action ? also : undefined, action].filter(Boolean);
  return {
    id: resourceId(resource),
    action,
    title: `service ${resource.name}: ${words.join(' and ')}`,
    diff: [],
    ...(reason !== undefined && { reason }),
    resource,
  };
}

interface Step {
  readonly action: PlanAction;
  readonly reason?: string;
}

function stepOf(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  input: ServiceDiffInput,
): Step | undefined {
  const state = found?.state ?? 'stopped';
  const changed = changedInputs(resource, found, input);
  if (resource.running === true && (state === 'stopped' || state === 'failed')) {
    return { action: 'start', ...(state === 'failed' && { reason: 'because it failed' }) };
  }
  if (resource.running === false && state !== 'stopped') return { action: 'stop' };
  if (resource.running !== false && (state === 'running' || state === 'starting') && changed !== undefined) {
    return { action: 'restart', reason: changed };
  }
  const [enabling] = enablement(resource, found, input);
  if (enabling !== undefined) return { action: enabling };
  return found?.needsReload ? { action: 'reload', reason: 'because its files changed' } : undefined;
}

/** Why its inputs are not those it runs with; undefined when they are. */
function changedInputs(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  { before }: ServiceDiffInput,
): string | undefined {
  const ids = before.filter(({ id }) => resource.restartOn.includes(id)).map(({ id }) => nameOf(id));
  if (ids.length > 3) return `because ${ids.slice(0, 2).join(', ')} and ${ids.length - 2} others change`;
  if (ids.length > 0) return `because ${ids.join(', ')} ${ids.length === 1 ? 'changes' : 'change'}`;
  if (resource.inputs === '' || found?.inputs === resource.inputs) return undefined;
  return 'because it was last started with other files';
}

/** `file:/etc/x` as people call it. */
function nameOf(id: string): string {
  const [kind = '', ...rest] = id.split(':');
  const name = rest.join(':');
  return ['file', 'directory', 'link', 'apt-key'].includes(kind) ? name : `${kind} ${name}`;
}

function enablement(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  input: ServiceDiffInput,
): ('enable' | 'disable')[] {
  const is = found?.enabled;
  if (resource.enabled) {
    return is === 'enabled' || is === 'static' || is === 'generated' ? [] : ['enable'];
  }
  // A new unit of ours starts at no boot by itself; Upstart's jobs do, and a package's may.
  const startsAtBoot = input.unitIsOurs ? input.facts.init === 'upstart' : packagesCome(input);
  if (is === undefined || is === 'unknown') return startsAtBoot ? ['disable'] : [];
  return is === 'enabled' || is === 'masked' ? ['disable'] : [];
}

function diffMasked(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  input: ServiceDiffInput,
): PlanItem | undefined {
  if (found === undefined && !packagesCome(input)) return undefined;
  const running = found !== undefined && found.state !== 'stopped';
  if (found?.enabled === 'masked' && !running) return undefined;
  const ends = running && input.isAgent && input.facts.agent.id !== '';
  const words = ends ? 'drain, stop and mask' : running ? 'stop and mask' : 'mask';
  return {
    id: resourceId(resource),
    action: 'disable',
    title: `service ${resource.name}: ${words}`,
    diff: [],
    reason: 'because this host has no such role',
    ...(ends && { endsTasks: input.facts.agent.tasks }),
    resource,
  };
}

function packagesCome({ before }: ServiceDiffInput): boolean {
  return before.some(({ action, resource }) => action === 'install' && resource?.kind === 'package');
}
