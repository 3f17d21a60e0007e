/** Records, changes and restores services. */

import { z } from 'zod';
import { quote } from '../../hosts/quote.ts';
import { literals, record, variant } from '../../stored/record.ts';
import type { HostFacts, ServiceFacts } from '../host-facts.ts';
import type { Item, Numbered, Shape, UndoItem } from '../item.ts';
import { unitName } from '../script/unit-name.ts';
import type { Entry, JournaledKind, StepContext, UndoContext } from './resource.ts';
import {
  diffService,
  type Edge,
  type ServiceCheck,
  type ServiceResource,
  type StateMove,
} from './service.ts';

interface ServiceEntry {
  readonly kind: 'service';
  readonly name: string;
  readonly before: { readonly enabled: ServiceFacts['enabled']; readonly running: boolean };
}

export const serviceKind: JournaledKind<ServiceResource, ServiceEntry> = {
  kind: 'service',
  stored: variant<ServiceResource>('service', {
    name: z.string(),
    enabled: z.boolean(),
    running: z.union([z.boolean(), z.null()]),
    masked: z.boolean().optional(),
    inputs: z.string(),
    restartOn: z.array(z.string()),
    after: literals<Edge>({ 'zookeeper-quorum': true, 'master-elected': true }).optional(),
    check: record<ServiceCheck>({
      command: z.array(z.string()),
      properties: z.array(z.string()),
      before: z.array(z.string()),
    }).optional(),
    move: record<StateMove>({ directory: z.string(), file: z.string() }).optional(),
  }),
  id: ({ name }) => `service:${name}`,
  targets: ({ name }) => ({ services: [name] }),
  diff: diffService,
  keep: ({ name }) => [`keep_service ${words(name)}`],
  steps: serviceLines,
  remove: (name, item, context) =>
    item.action === 'stop' ? stopLines(name, context) : removeLines(name, item, context),
  journal: {
    schema: z.object({
      kind: z.literal('service'),
      name: z.string(),
      before: z.object({
        enabled: z.enum(['enabled', 'disabled', 'masked', 'static', 'generated', 'unknown']),
        running: z.boolean(),
      }),
    }),
    leavesFirst: true,
    leftover: (entry, { facts }) => leftoverService(entry, facts),
    undo: (entry, context) => ({
      stop: stopItem(entry, context),
      resume: context.wasInstalledByMesosup(entry.name) ? [] : resumeItem(entry),
    }),
    restore: ({ name, before: { enabled, running } }) => [
      `restore_service ${words(name)} ${enabled} ${running}`,
    ],
  },
};

/** Returns the service's name as two words: for people and Upstart, and for systemd. */
function words(name: string): string {
  return `${quote(name)} ${quote(unitName(name))}`;
}

function serviceLines(service: ServiceResource, item: Item<ServiceResource>, context: StepContext): string[] {
  const latest = quote(`${context.agentWorkDir}/meta/slaves/latest`);
  const names = words(service.name);
  const wanted = service.masked ? 'masked' : service.enabled ? 'enabled' : 'disabled';
  const enable = `set_enabled ${names} ${wanted}`;
  switch (item.action) {
    case 'start':
    case 'restart': {
      const run = `run_service ${item.action} ${names} ${quote(service.inputs)}`;
      const wait = service.after ? [`wait_edge ${service.after}`] : [];
      const { move } = service;
      const moving = move ? [`move_state ${names} ${quote(move.directory)} ${quote(move.file)}`] : [];
      return [...(service.enabled ? [enable] : []), ...wait, ...moving, run];
    }
    case 'stop':
      return [`stop_service ${names}`, ...(service.enabled ? [] : [enable])];
    case 'disable':
      if (item.endsTasks !== undefined)
        return [`replace_agent ${names} ${latest}`, enable, endTasks(context)];
      return service.masked ? [`stop_service ${names}`, enable] : [enable];
    case 'enable':
      return [enable];
    case 'reload':
      return ['reload=yes', `reload_units ${quote(unitName(service.name))}`];
    case 'step-down':
      return [`step_down ${names} ${quote(service.inputs)}`];
    case 'replace-agent':
      return [`replace_agent ${names} ${latest}`];
    case 'drain':
      return [`empty_agent ${latest}${item.returns ? ' returns' : ''}`];
    case 'undrain':
      return [`fill_agent ${latest}`];
    default:
      throw new TypeError(
        `the plan's item ${item.id} has an action that services don't support: ${item.action}`,
      );
  }
}

function endTasks({ agentWorkDir, cluster }: StepContext): string {
  return `end_tasks ${quote(agentWorkDir)} ${quote(cluster)}`;
}

/** Stops a service permanently, for an uninstall. A service that was enabled before mesosup stays enabled. */
function stopLines(name: string, { journal }: StepContext): string[] {
  const entry = journal.filter(isServiceEntry).find((known) => known.name === name);
  const was = entry?.before.enabled ?? 'unknown';
  const disable = was === 'disabled' || was === 'unknown' ? [`drop_enabled ${words(name)}`] : [];
  return [`stop_service ${words(name)}`, ...disable];
}

function isServiceEntry(entry: Entry): entry is ServiceEntry {
  return entry.kind === 'service';
}

function removeLines(name: string, { whole, endsTasks }: UndoItem, context: StepContext): string[] {
  return [
    ...(whole ? [`end_engine ${words(name)}`] : []),
    `stop_service ${words(name)}`,
    ...(whole ? ['end_shims'] : []),
    `set_enabled ${words(name)} disabled`,
    ...(endsTasks === undefined ? [] : [endTasks(context)]),
  ];
}

function leftoverService({ name, before: { enabled, running } }: ServiceEntry, facts: HostFacts): UndoItem[] {
  const found = facts.services[name];
  if (found === undefined) return [];
  const same =
    (found.enabled === 'enabled') === (enabled === 'enabled') &&
    (found.enabled === 'masked') === (enabled === 'masked') &&
    (found.state !== 'stopped') === running;
  if (same) return [];
  const what = [running ? 'start' : 'stop', enabled === 'enabled' ? 'enable' : 'disable'];
  return [
    {
      id: `service:${name}`,
      action: 'restore',
      title: `service ${name}: ${what.join(' and ')}, as before mesosup was installed`,
      diff: [],
      reason: 'because this host no longer needs it',
    },
  ];
}

/** A service that ran before mesosup continues to run. */
function stopItem({ name, before }: ServiceEntry, context: UndoContext): UndoItem[] {
  const { services, agent } = context.facts;
  if (before.running || services[name] === undefined) return [];
  const title = `service ${name}: stop and disable`;
  const item: UndoItem = { id: `service:${name}`, action: 'remove', title, diff: [] };
  if (context.wasInstalledByMesosup(name) && context.isEngine(name)) {
    return [{ ...item, title: `${title}, and remove all containers`, whole: true }];
  }
  const ends = context.isAgent(name) && agent.id !== '';
  return [ends ? { ...item, title: `${title}, and end its tasks`, endsTasks: agent.tasks } : item];
}

function resumeItem({ name, before: { enabled, running } }: ServiceEntry): UndoItem[] {
  if (!running && enabled !== 'enabled' && enabled !== 'masked') return [];
  const what = [
    enabled === 'masked' ? 'mask' : enabled === 'enabled' ? 'enable' : 'disable',
    ...(running ? ['restart'] : []),
  ];
  const title = `service ${name}: ${what.join(' and ')}, as before mesosup was installed`;
  return [{ id: `service:${name}`, action: 'restore', title, diff: [] }];
}

/**
 * Returns, by index of an item, the lines to run before it: checks of services that start or restart. When a check
 * fails, the service and its settings stay unchanged.
 */
export function checkLines(items: readonly Numbered[]): ReadonlyMap<number, readonly string[]> {
  const lines = items.filter(isWatched).flatMap(({ item: { resource }, index }) => {
    if (!isService(resource) || resource.check === undefined) return [];
    const { command, properties, before } = resource.check;
    const first = items.find(({ item }) => before.includes(item.id))?.index ?? index;
    // systemd expands variables in the arguments of a command.
    const checked = command.map((word) => word.replaceAll('$', '$$$$'));
    const all = [resource.name, ...properties.map((property) => `--property=${property}`), ...checked];
    return [[Math.min(first, index), `check_service ${all.map(quote).join(' ')}`] as const];
  });
  return new Map([...Map.groupBy(lines, ([at]) => at)].map(([at, of]) => [at, of.map(([, line]) => line)]));
}

/** True of an item after which a service starts at boot. */
export function isEnabled({ item: { resource, action } }: Numbered): boolean {
  return (
    isService(resource) &&
    resource.enabled &&
    (action === 'start' || action === 'restart' || action === 'enable')
  );
}

/** True of an item that ends only when its service has stayed up for a while. */
export function isWatched({ item: { resource, action } }: Numbered): boolean {
  return isService(resource) && (action === 'start' || action === 'restart');
}

function isService(resource: Shape | undefined): resource is ServiceResource {
  return resource?.kind === 'service';
}
