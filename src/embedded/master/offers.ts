/** Makes, rescinds and declines offers. */

import { plainAmounts } from '../../mesos/held.ts';
import { passesConstraints } from '../../mesos/offer-constraints.ts';
import type { Offer, SchedulerEvent } from '../../mesos/types.ts';
import { wireResources } from '../wire/resource-text.ts';
import { allocate } from './allocator.ts';
import {
  type Agent,
  type Framework,
  hasCapability,
  isActive,
  type Master,
  type OutstandingOffer,
  returnResources,
  sendEvent,
  takeResources,
} from './model.ts';

/** Default time for which an ACCEPT or DECLINE refuses unused resources, in seconds. */
const DEFAULT_REFUSE_SECONDS = 5;

/** Schedules an allocation after the current event. Several requests result in one allocation. */
export function requestAllocation(master: Master): void {
  if (master.allocationPending) return;
  master.allocationPending = true;
  master.ports.timer(0, () => {
    master.allocationPending = false;
    runAllocation(master);
  });
}

/** Offers free resources to the frameworks that want them. */
export function runAllocation(master: Master): void {
  const now = master.ports.now();
  const wanting = [...master.frameworks.values()].filter((f) => f.stream !== undefined);
  if (wanting.length === 0) return;
  const agents = [...master.agents.values()].filter((a) => isActive(master, a));
  const total = new Map<string, number>();
  for (const agent of agents) {
    for (const [name, milli] of plainAmounts(agent.total).scalars)
      total.set(name, (total.get(name) ?? 0) + milli);
  }
  for (const framework of wanting) forgetExpired(framework, now);
  const grants = allocate(
    agents,
    wanting.map((f) => ({
      id: f.id,
      roles: f.roles.filter((role) => !f.suppressed.has(role)),
      held: f.held,
      refusals: f.refusals,
      refined: isRefined(f),
      wants: (role, agentId) => isWanted(master, f, role, agentId),
    })),
    total,
    now,
  );
  const byFramework = new Map<string, Offer[]>();
  for (const grant of grants) {
    const framework = master.frameworks.get(grant.frameworkId);
    const agent = master.agents.get(grant.agentId);
    if (!framework || !agent) continue;
    takeResources(agent, framework, grant.role, grant.amounts);
    const offer: OutstandingOffer = { id: `${master.id}-O${master.next.offer}`, ...grant };
    master.next.offer += 1;
    master.offers.set(offer.id, offer);
    expireLater(master, offer);
    byFramework.set(framework.id, [
      ...(byFramework.get(framework.id) ?? []),
      wireOffer(framework, agent, offer),
    ]);
  }
  for (const [id, offers] of byFramework) {
    const event: SchedulerEvent = { type: 'OFFERS', offers: { offers } };
    const framework = master.frameworks.get(id);
    if (!framework) continue;
    master.ports.log(`Sending offers ${offers.map((o) => o.id.value).join(', ')} to framework ${id}`);
    sendEvent(framework, event);
  }
}

function isWanted(master: Master, { offerConstraints }: Framework, role: string, agentId: string): boolean {
  const agent = master.agents.get(agentId);
  return agent !== undefined && passesConstraints(offerConstraints, role, agent.info);
}

/** True if the framework understands resources with several reservations, and writes them so. */
function isRefined({ info }: Framework): boolean {
  return hasCapability(info, 'RESERVATION_REFINEMENT');
}

function expireLater(master: Master, offer: OutstandingOffer): void {
  const { offerTimeoutMs } = master.settings;
  if (offerTimeoutMs === undefined) return;
  master.ports.timer(offerTimeoutMs, () => rescindOffers(master, ({ id }) => id === offer.id));
}

function forgetExpired(framework: Framework, now: number): void {
  for (const [agentId, refusals] of framework.refusals) {
    const left = refusals.filter((r) => r.until > now);
    if (left.length > 0) framework.refusals.set(agentId, left);
    else framework.refusals.delete(agentId);
  }
}

function wireOffer(framework: Framework, agent: Agent, offer: OutstandingOffer): Offer {
  const executorIds = [...(agent.executors.get(framework.id)?.keys() ?? [])];
  const port = agent.info.port ?? 5051;
  return {
    id: { value: offer.id },
    framework_id: { value: framework.id },
    agent_id: { value: agent.id },
    hostname: agent.info.hostname,
    url: {
      scheme: 'http',
      address: { hostname: agent.info.hostname, ip: agent.ip, port },
      path: '/slave(1)',
    },
    resources: wireResources(offer.amounts, offer.role, isRefined(framework) ? 'refined' : 'older'),
    ...(agent.info.attributes?.length ? { attributes: agent.info.attributes } : {}),
    ...(executorIds.length > 0 ? { executor_ids: executorIds.map((value) => ({ value })) } : {}),
    allocation_info: { role: offer.role },
  };
}

/** Ends an offer. Its resources are free again; `accept` allocates accepted resources afterwards. */
export function removeOffer(master: Master, offer: OutstandingOffer): void {
  master.offers.delete(offer.id);
  returnResources(
    master.agents.get(offer.agentId),
    master.frameworks.get(offer.frameworkId),
    offer.role,
    offer.amounts,
  );
}

/** Rescinds offers and informs their frameworks. */
export function rescindOffers(master: Master, which: (offer: OutstandingOffer) => boolean): void {
  for (const offer of [...master.offers.values()].filter(which)) {
    removeOffer(master, offer);
    const framework = master.frameworks.get(offer.frameworkId);
    if (framework) sendEvent(framework, { type: 'RESCIND', rescind: { offer_id: { value: offer.id } } });
  }
}

/** Drops the offers of a disconnected framework, without RESCIND. */
export function dropOffersOf(master: Master, framework: Framework): void {
  for (const offer of [...master.offers.values()]) {
    if (offer.frameworkId === framework.id) removeOffer(master, offer);
  }
}

/**
 * Stores a refusal. A filter lasts at least until the next allocation. `refuse_seconds: 0` sets no filter, so that the
 * resources are offered again at the next interval.
 */
export function refuse(
  master: Master,
  framework: Framework,
  offer: Pick<OutstandingOffer, 'agentId' | 'role' | 'amounts'>,
  refuseSeconds: number | undefined,
): void {
  const wanted = refuseSeconds ?? DEFAULT_REFUSE_SECONDS;
  const ms = Math.max(Number.isFinite(wanted) && wanted >= 0 ? wanted : DEFAULT_REFUSE_SECONDS, 0) * 1000;
  if (ms === 0) return;
  const until = master.ports.now() + Math.max(ms, master.settings.allocationIntervalMs);
  const refusals = framework.refusals.get(offer.agentId) ?? [];
  refusals.push({ role: offer.role, amounts: offer.amounts, until });
  framework.refusals.set(offer.agentId, refusals);
}

export function decline(
  master: Master,
  framework: Framework,
  offerIds: readonly string[],
  refuseSeconds: number | undefined,
): void {
  for (const id of offerIds) {
    const offer = master.offers.get(id);
    if (!offer || offer.frameworkId !== framework.id) {
      master.ports.log(`Ignoring decline of offer ${id} since it is no longer valid`);
      continue;
    }
    removeOffer(master, offer);
    refuse(master, framework, offer, refuseSeconds);
  }
}

/** Checks the roles of a call. A call with a role that its framework doesn't have is dropped. */
function hasRoles(framework: Framework, roles: readonly string[]): boolean {
  return roles.every((role) => framework.roles.includes(role));
}

/** Stops offers for these roles. @param roles from the call; empty for all roles */
export function suppress(framework: Framework, roles: readonly string[]): void {
  if (!hasRoles(framework, roles)) return;
  for (const role of roles.length > 0 ? roles : framework.roles) framework.suppressed.add(role);
}

/** Resumes offers, deletes refusals and schedules an allocation. */
export function revive(master: Master, framework: Framework, roles: readonly string[]): void {
  if (!hasRoles(framework, roles)) return;
  const revived = new Set(roles.length > 0 ? roles : framework.roles);
  for (const role of revived) framework.suppressed.delete(role);
  for (const [agentId, refusals] of framework.refusals) {
    framework.refusals.set(
      agentId,
      refusals.filter((r) => !revived.has(r.role)),
    );
  }
  requestAllocation(master);
}
