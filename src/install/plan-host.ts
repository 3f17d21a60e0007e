/** Plans the changes of one host: the difference between its wanted state and its facts. */

import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import type { Secrets } from '../cluster/secrets.ts';
import { findIncompatibilities, presentAgentWorkDir } from './agent-change.ts';
import { withAptChanges } from './apt-changes.ts';
import { basisOf } from './basis.ts';
import type { Facts } from './facts.ts';
import { idParts } from './item.ts';
import { mesosLayout } from './layout.ts';
import { leftovers } from './leftovers.ts';
import type { HostPlan, PlanItem } from './plan.ts';
import { diffResource, type Resource, resourceId } from './resources/registry.ts';
import type { DiffInput } from './resources/resource.ts';
import type { ServiceResource } from './resources/service.ts';
import { STARTED } from './script/places.ts';
import { DOCKER_SERVICE } from './wanted/docker.ts';
import { dataDirectories } from './wanted/left-behind.ts';
import { agentWorkDir } from './work-dirs.ts';

export interface HostPlanInput {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  readonly facts: Facts;
  readonly wanted: readonly Resource[];
  /** `stop` changes only services, even if other resources differ. */
  readonly command: 'install' | 'start' | 'stop';
  readonly secrets: Secrets;
  readonly sha256: (text: string) => string;
}

/** The same facts and wanted state give the same plan. A host in its wanted state gets no items. */
export function planHost(input: HostPlanInput): HostPlan {
  const { host, facts, sha256 } = input;
  const items = input.command === 'stop' ? stopItems(input) : allItems(input);
  return { host: host.name, items, basis: basisOf(facts, sha256) };
}

function allItems(input: HostPlanInput): PlanItem[] {
  const { cluster, host, facts, wanted } = input;
  const old = leftovers(facts, wanted, dataDirectories(cluster, host));
  const items: PlanItem[] = [...old.services, ...old.files];
  const going = new Set(old.files.map(({ id }) => idParts(id).name));
  const present = {
    ...input,
    facts: {
      ...facts,
      files: without(facts.files, going),
      // When a unit is removed, another unit takes its place, and has its own state of being enabled.
      services: Object.fromEntries(
        Object.entries(facts.services).map(([name, one]) => [
          name,
          going.has(one.file) ? { ...one, enabled: 'unknown' as const } : one,
        ]),
      ),
    },
  };
  const diff = differ(present);
  for (const resource of wanted) {
    const item = diff(resource, items);
    if (item) items.push(item);
  }
  const planned = withAptChanges(replaceAgent(moveEngineAfterDrain(items), input), facts.apt);
  return withRepair(planned, input);
}

/** Containers can end properly only while their engine runs, so the engine is removed after an agent is drained. */
function moveEngineAfterDrain(items: readonly PlanItem[]): PlanItem[] {
  const drains = items.find(({ action, endsTasks }) => action === 'disable' && endsTasks !== undefined);
  const engine = items.filter(({ id, action }) => id === `service:${DOCKER_SERVICE}` && action === 'restore');
  if (drains === undefined) return [...items];
  return items
    .filter((item) => !engine.includes(item))
    .flatMap((item) => (item === drains ? [item, ...engine] : [item]));
}

function without<T>(all: Readonly<Record<string, T>>, keys: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => !keys.has(key)));
}

/** Returns a function that plans the item of a resource, given the items before it. */
function differ(input: HostPlanInput) {
  const wanted = new Set(input.wanted.map(resourceId));
  const agent = knownAgent(input);
  return (resource: Resource, before: readonly PlanItem[]): PlanItem | undefined =>
    diffResource(resource, { ...input, wanted, agent, before });
}

/** Describes the agent that the masters may know. When its work directory changes, its id is in the old one. */
function knownAgent({ cluster, host, facts }: HostPlanInput): DiffInput['agent'] {
  const { service } = mesosLayout(cluster, facts).agent;
  const moves = presentAgentWorkDir(cluster, host, facts) !== agentWorkDir(cluster, host);
  const started = (facts.services[service]?.inputs ?? '') !== '';
  return { service, hasRun: facts.agent.id !== '' || (moves && started) };
}

function stopItems(input: HostPlanInput): PlanItem[] {
  const diff = differ(input);
  const items = input.wanted
    .filter((one) =>
      one.kind === 'service'
        ? one.running === false && !one.masked
        : one.kind === 'absent' && one.path === STARTED,
    )
    .flatMap((one) => diff(one, []) ?? []);
  // Services stop in reverse order of their dependencies.
  return [
    ...items.filter(({ id }) => !id.startsWith('service:')),
    ...items.filter(({ id }) => id.startsWith('service:')).reverse(),
  ];
}

/**
 * An agent that can't keep its identity is drained, stopped and forgotten before the first of its files changes:
 * otherwise a run that is interrupted would leave files with which the old agent can't start. Its start comes at the
 * end, as for any stopped service.
 */
function replaceAgent(items: readonly PlanItem[], input: HostPlanInput): PlanItem[] {
  const { facts, wanted } = input;
  const layout = mesosLayout(input.cluster, facts);
  const service = wanted.find(
    (one): one is ServiceResource =>
      one.kind === 'service' && one.name === layout.agent.service && !one.masked,
  );
  const found = facts.services[layout.agent.service];
  // An agent that was started with the wanted inputs is up to date, even if its files have changed since.
  if (service === undefined || !knownAgent(input).hasRun || found?.inputs === service.inputs)
    return [...items];
  const why = findIncompatibilities(facts, wanted, layout);
  if (why.length === 0) return [...items];
  const id = resourceId(service);
  const tasks = facts.agent.tasks;
  const replacement: PlanItem = {
    id,
    action: 'replace-agent',
    title: `service ${service.name}: drain and stop the agent, and replace it with a new agent`,
    diff: [],
    reason: `because ${why.join(', ')}`,
    endsTasks: tasks,
    resource: service,
  };
  const runs = found !== undefined && found.state !== 'stopped';
  const start = service.running === true || (service.running === null && runs);
  const others = items.filter((item) => item.id !== id);
  // Items without a resource remove files of an earlier layout of the agent.
  const first = others.findIndex(
    (item) => item.resource === undefined || service.restartOn.includes(item.id),
  );
  const at = first < 0 ? others.length : first;
  const begin: PlanItem[] = start
    ? [
        {
          id,
          action: 'start',
          title: `service ${service.name}: start as a new agent`,
          diff: [],
          resource: service,
        },
      ]
    : [];
  const position = items.findIndex((item) => item.id === id);
  const after = position < 0 ? others.length : position;
  return [...others.slice(0, at), replacement, ...others.slice(at, after), ...begin, ...others.slice(after)];
}

/** Completes an interrupted dpkg run first, if the plan depends on packages. */
function withRepair(items: PlanItem[], { facts, wanted }: HostPlanInput): PlanItem[] {
  const { broken } = facts.dpkg;
  const names = new Set(wanted.flatMap((one) => (one.kind === 'package' ? [one.name] : [])));
  const matters =
    items.some(({ resource }) => resource?.kind === 'package') || broken.some((name) => names.has(name));
  if (broken.length === 0 || !matters) return items;
  const repair: PlanItem = {
    id: 'dpkg',
    action: 'repair',
    title: 'dpkg: complete an interrupted run',
    diff: [],
    reason: `because of ${broken.join(', ')}`,
  };
  return [repair, ...items];
}
