/** A service of the init system: its shape and its diff. The rest is in `service-kind.ts`. */

import type { ServiceFacts } from '../host-facts.ts';
import { type Item, idParts, type PlanAction } from '../item.ts';
import type { DiffInput } from './resource.ts';

/** A condition elsewhere in the cluster that must hold before a service starts. The host waits for it. */
export type Edge = 'zookeeper-quorum' | 'master-elected';

export interface ServiceResource {
  readonly kind: 'service';
  /** Without `.service`; a timer has its `.timer`. */
  readonly name: string;
  readonly enabled: boolean;
  /** Null: neither started nor stopped, but restarted if it runs and its inputs have changed. */
  readonly running: boolean | null;
  /** True: neither people nor packages can start it, since the host does not have the role. */
  readonly masked?: boolean;
  /** Digest of everything that it reads at its start: files, packages, payload. */
  readonly inputs: string;
  /** Ids of the resources behind `inputs`. A change of any of them restarts the service. */
  readonly restartOn: readonly string[];
  readonly after?: Edge;
  readonly check?: ServiceCheck;
  /** The state in this directory moves to ZooKeeper, at the address in the file, before the service starts. */
  readonly move?: StateMove;
}

export interface StateMove {
  readonly directory: string;
  readonly file: string;
}

/** A command that checks a service's new settings while the old process still runs. */
export interface ServiceCheck {
  readonly command: readonly string[];
  /** systemd properties that give the command the same view of the file system as the service. */
  readonly properties: readonly string[];
  /** Ids of the resources that activate the settings. The command runs before the first of them changes. */
  readonly before: readonly string[];
}

/** Undefined when the service is in its wanted state. One item brings the service into that state. */
export function diffService(resource: ServiceResource, input: DiffInput): Item<ServiceResource> | undefined {
  const found = input.facts.services[resource.name];
  if (resource.masked) return diffMasked(resource, found, input);
  const step = stepOf(resource, found, input);
  if (step === undefined) return undefined;
  const { action, reason } = step;
  const [also] = enablement(resource, found, input);
  const words = [also !== undefined && also !== action ? also : undefined, action].filter(Boolean);
  return {
    id: `service:${resource.name}`,
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
  input: DiffInput,
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

/** Returns the reason why the service runs with other inputs, or undefined if it does not. */
function changedInputs(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  { before }: DiffInput,
): string | undefined {
  const ids = before.filter(({ id }) => resource.restartOn.includes(id)).map(({ id }) => nameOf(id));
  if (ids.length > 3) return `because ${ids.slice(0, 2).join(', ')} and ${ids.length - 2} others change`;
  if (ids.length > 0) return `because ${ids.join(', ')} ${ids.length === 1 ? 'changes' : 'change'}`;
  if (resource.inputs === '' || found?.inputs === resource.inputs) return undefined;
  return 'because it was last started with other files';
}

/** Shortens an id like `file:/etc/x` for people. */
function nameOf(id: string): string {
  const { kind, name } = idParts(id);
  return name.startsWith('/') ? name : `${kind} ${name}`;
}

function enablement(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  input: DiffInput,
): ('enable' | 'disable')[] {
  const is = found?.enabled;
  if (resource.enabled) {
    return is === 'enabled' || is === 'static' || is === 'generated' ? [] : ['enable'];
  }
  // Others have started it.
  if (resource.running === null && found?.state === 'running') return [];
  // A new unit of mesosup does not start at boot by itself. Upstart's jobs do, and the service of a package may.
  const startsAtBoot = hasUnitOfOurs(resource, input) ? input.facts.init === 'upstart' : packagesCome(input);
  if (is === undefined || is === 'unknown') return startsAtBoot ? ['disable'] : [];
  return is === 'enabled' || is === 'masked' ? ['disable'] : [];
}

function diffMasked(
  resource: ServiceResource,
  found: ServiceFacts | undefined,
  input: DiffInput,
): Item<ServiceResource> | undefined {
  if (found === undefined && !packagesCome(input)) return undefined;
  const running = found !== undefined && found.state !== 'stopped';
  if (found?.enabled === 'masked' && !running) return undefined;
  const ends = running && resource.name === input.agent.service && input.agent.hasRun;
  const words = ends ? 'drain, stop and mask' : running ? 'stop and mask' : 'mask';
  return {
    id: `service:${resource.name}`,
    action: 'disable',
    title: `service ${resource.name}: ${words}`,
    diff: [],
    reason: 'because this host does not have the role',
    ...(ends && { endsTasks: input.facts.agent.tasks }),
    resource,
  };
}

function packagesCome({ before }: DiffInput): boolean {
  return before.some(({ action, resource }) => action === 'install' && resource?.kind === 'package');
}

/** True of a service whose unit or job is a file of the wanted state; otherwise it is part of a package. */
function hasUnitOfOurs({ name }: ServiceResource, { wanted }: DiffInput): boolean {
  const unit = `/etc/systemd/system/${name}`;
  return [unit, `${unit}.service`, `/etc/init/${name}.conf`].some((path) => wanted.has(`file:${path}`));
}
