/** Explains why apps are waiting: Marathon's queue, and the details for each agent. */

import { fromMilli } from '../../../mesos/resources.ts';
import type { Attribute, Offer, Resource } from '../../../mesos/types.ts';
import { findNearest, remedyText } from '../../decide/placement/nearest.ts';
import { wantOf } from '../../decide/placement/want.ts';
import {
  type Check,
  type OfferCounts,
  type Refusal,
  reasonOf,
  SCALARS,
  type Stage,
} from '../../domain/placement.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import type { ExplanationJson, QueueJson } from './queue-schemas.ts';
import { definitionJson } from './views.ts';

type Item = QueueJson['queue'][number];
type Summary = Item['processedOffersSummary'];
type UnusedOffer = NonNullable<Item['lastUnusedOffers']>[number];

/** @param withOffers includes the recent unused offers */
export function queueJson(state: State, now: number, withOffers = false): QueueJson {
  const queue = [...state.waiting].sort().flatMap((id) => {
    const record = state.apps.get(id);
    return record ? [queueItem(state, record, now, withOffers)] : [];
  });
  return { queue };
}

function queueItem(state: State, record: AppRecord, now: number, withOffers: boolean): Item {
  const leftMs = Math.max(0, (record.delay?.until ?? 0) - now);
  return {
    app: definitionJson(record.app, state.settings.role),
    count: record.missing,
    delay: { timeLeftSeconds: Math.ceil(leftMs / 1000), overdue: leftMs === 0 },
    since: isoOf(record.waitingSince ?? now),
    // Nested here, since some Marathon clients reject unknown fields of the item itself.
    processedOffersSummary: { ...summaryOf(record), reasons: reasonsOf(state, record, now) },
    ...(withOffers && { lastUnusedOffers: [...record.refusals.values()].map(unusedOffer) }),
  };
}

/** Marathon's names of the reasons, in the order in which Marathon counts them. */
const MARATHON_REASONS: readonly (readonly [string, ...Stage[]])[] = [
  ['UnfulfilledRole', 'roles'],
  // Marathon has no policy, and does not know that an agent lacks a containerizer.
  ['UnfulfilledConstraint', 'policy', 'containerizer', 'constraints'],
  ['NoCorrespondingReservationFound', 'reservation'],
  ['InsufficientCpus', 'cpus'],
  ['InsufficientMemory', 'mem'],
  ['InsufficientDisk', 'disk'],
  ['InsufficientGpus', 'gpus'],
  ['InsufficientPorts', 'ports'],
];

function summaryOf({ refusals, offerCounts }: AppRecord): Omit<Summary, 'reasons'> {
  const { processed, refused, lastUsedAt, lastUnusedAt }: OfferCounts = offerCounts ?? {
    processed: 0,
    refused: new Map(),
  };
  const last = new Map<Stage, number>();
  for (const { checks } of refusals.values()) {
    const stage = checks.find(({ ok }) => !ok)?.stage;
    if (stage) last.set(stage, (last.get(stage) ?? 0) + 1);
  }
  return {
    processedOffersCount: processed,
    unusedOffersCount: [...refused.values()].reduce((total, times) => total + times, 0),
    ...(lastUsedAt !== undefined && { lastUsedOfferAt: isoOf(lastUsedAt) }),
    ...(lastUnusedAt !== undefined && { lastUnusedOfferAt: isoOf(lastUnusedAt) }),
    rejectSummaryLastOffers: funnel(last, refusals.size),
    rejectSummaryLaunchAttempt: funnel(refused, processed),
  };
}

/** Each reason is counted only for the offers that the reasons before it left over. */
function funnel(refused: ReadonlyMap<Stage, number>, all: number): Summary['rejectSummaryLastOffers'] {
  let processed = all;
  return MARATHON_REASONS.map(([reason, ...stages]) => {
    const declined = stages.reduce((sum, stage) => sum + (refused.get(stage) ?? 0), 0);
    const entry = { reason, declined, processed };
    processed -= declined;
    return entry;
  });
}

function unusedOffer({ offer, checks, at }: Refusal): UnusedOffer {
  const failed = new Set<Stage>(checks.filter(({ ok }) => !ok).map(({ stage }) => stage));
  const reason = MARATHON_REASONS.flatMap(([name, ...stages]) =>
    stages.some((stage) => failed.has(stage)) ? [name] : [],
  );
  return { offer: offerJson(offer), reason, timestamp: isoOf(at) };
}

function offerJson({ id, agent_id, hostname, resources, attributes = [] }: Offer): UnusedOffer['offer'] {
  return {
    id: id.value,
    agentId: agent_id.value,
    hostname,
    resources: resources.map((resource) => ({
      name: resource.name,
      role: resource.reservations?.at(-1)?.role ?? resource.role ?? '*',
      ...valueJson(resource),
    })),
    attributes: attributes.map((attribute) => ({
      name: attribute.name,
      ...(attribute.text && { text: attribute.text.value }),
      ...valueJson(attribute),
    })),
  };
}

function valueJson({ scalar, ranges, set }: Pick<Resource & Attribute, 'scalar' | 'ranges' | 'set'>) {
  return {
    ...(scalar && { scalar: scalar.value }),
    ...(ranges && { ranges: ranges.range }),
    ...(set && { set: set.item }),
  };
}

/** @returns why an app has too few tasks, the current obstacles first */
function reasonsOf(state: State, record: AppRecord, now: number): string[] {
  const delayLeftMs = Math.max(0, (record.delay?.until ?? 0) - now);
  const reasons: string[] = [];
  if (!state.connected) reasons.push(`not subscribed to a Mesos master: ${state.disconnectedBecause}`);
  if (delayLeftMs > 0)
    reasons.push(`its tasks keep ending: next launch in ${Math.ceil(delayLeftMs / 1000)} s`);
  const { refusedOperation: refused } = record;
  if (refused) reasons.push(`${refused.host}: ${refused.message} (at ${isoOf(refused.at)})`);
  for (const host of waitsFor(record)) {
    reasons.push(`waiting for ${host}, which has the persistent volumes of an instance`);
  }
  for (const [reason, hosts] of groupRefusals(record)) reasons.push(`${hosts.join(', ')}: ${reason}`);
  if (record.missing > 0) reasons.push(...describeOversized(state, record));
  if (reasons.length === 0) {
    reasons.push('waiting for an offer: no agent is registered, or no agent has free resources');
  }
  const { lastFailure } = record;
  if (lastFailure) {
    const { taskId, host, state: end, message, at } = lastFailure;
    reasons.push(`last failure: ${taskId} on ${host}, ${end} at ${isoOf(at)}: ${message}`);
  }
  return reasons;
}

/** Hosts of instances that can only be launched there. */
function waitsFor({ reservations }: AppRecord): Set<string> {
  const waiting = [...reservations.values()].filter(
    (one) => one.state === 'held' && one.taskId === undefined,
  );
  return new Set(waiting.map(({ host }) => host).sort());
}

/** Groups hosts by reason. */
function groupRefusals(record: AppRecord): Map<string, string[]> {
  const hosts = new Map<string, Set<string>>();
  for (const { host, reason } of record.refusals.values()) {
    hosts.set(reason, (hosts.get(reason) ?? new Set()).add(host));
  }
  return new Map([...hosts].map(([reason, names]) => [reason, [...names].sort()]));
}

/** Names resources that no agent has enough of: waiting helps only if larger agents are added. */
function describeOversized({ settings, largestOffer }: State, { active }: AppRecord): string[] {
  if (!active || !largestOffer) return [];
  const { scalars } = wantOf(active, settings);
  return SCALARS.filter((name) => scalars[name] > largestOffer[name]).map(
    (name) =>
      `${name}: ${fromMilli(scalars[name])} wanted, and no agent has offered more than ${fromMilli(largestOffer[name])} so far`,
  );
}

/** Builds the answer of `GET /v2/apps/{id}/explain`. */
export function explainJson(state: State, record: AppRecord, now: number): ExplanationJson {
  const { app, active, refusals, deploymentId } = record;
  const near = findNearest(refusals);
  const isWaiting = state.waiting.has(app.id);
  return {
    appId: app.id,
    instances: app.instances,
    running: record.ready,
    missing: isWaiting ? record.missing : 0,
    ...(deploymentId !== undefined && { deploymentId }),
    ...(isWaiting && { since: isoOf(record.waitingSince ?? now) }),
    reasons: active ? (isWaiting ? reasonsOf(state, record, now) : []) : [notStartedText(record)],
    agents: [...refusals].map(([agentId, { host, checks, at }]) => ({
      agentId,
      hostname: host,
      at: isoOf(at),
      checks: checks.map(checkJson),
    })),
    ...(near && {
      nearest: { agentId: near.agentId, hostname: near.host, lacks: near.failed.map(reasonOf) },
    }),
    ...(near?.remedy && { change: { ...near.remedy, text: remedyText(near.remedy, near.host) } }),
  };
}

function checkJson(check: Check): ExplanationJson['agents'][number]['checks'][number] {
  return check.ok ? check : { ...check, reason: reasonOf(check) };
}

function notStartedText({ deploymentId }: AppRecord): string {
  return `its deployment ${deploymentId ?? ''} has not reached this app yet: other apps come first`;
}

/** Formats the explanation as text. */
export function explainText(state: State, record: AppRecord, now: number): string {
  const { appId, missing, since, reasons, nearest: near, change } = explainJson(state, record, now);
  const lines = [
    since === undefined
      ? `${appId} is not waiting: ${record.ready} of ${record.app.instances} instances are ready${record.ready < record.app.instances ? '; the others have an agent, and are starting or not healthy yet' : ''}.`
      : `${appId} has been waiting for ${missing} of ${record.app.instances} instances since ${since}.`,
    ...reasons.map((reason) => `  ${reason}`),
  ];
  if (near) lines.push(`The nearest fit is ${near.hostname}, which lacks: ${near.lacks.join('; ')}`);
  if (change) lines.push(`One change would place it: ${change.text}`);
  else if (near) lines.push('No single change to the app would place it.');
  return `${lines.join('\n')}\n`;
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
