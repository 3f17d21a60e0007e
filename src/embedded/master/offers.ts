/** Offers: made by the allocator, taken back, declined. */

import { letsThrough } from '../../mesos/offer-constraints.ts';
import type { Offer, SchedulerEvent } from '../../mesos/types.ts';
import { wireResources } from '../wire/resource-text.ts';
import { allocate } from './allocator.ts';
import {
  type Agent,
  type Framework,
  giveBack,
  isActive,
  type Master,
  type OutstandingOffer,
  take,
  tell,
} from './model.ts';

/** How long leftovers are refused where an ACCEPT or DECLINE doesn't say, in seconds. */
const DEFAULT_REFUSE_SECONDS = 5;

/** Allocates as soon as what is being handled now is done; several requests make one allocation. */
export function requestAllocation(master: Master): void {
  if (master.allocationPending) return;
  master.allocationPending = true;
  master.ports.timer(0, () => {
    master.allocationPending = false;
    runAllocation(master);
  });
}

/** Offers what is free to the frameworks that want it. */
export function runAllocation(master: Master): void {
  const now = master.ports.now();
  const wanting = [...master.frameworks.values()].filter((f) => f.stream !== undefined);
  if (wanting.length === 0) return;
  const agents = [...master.agents.values()].filter((a) => isActive(master, a));
  const total = new Map<string, number>();
  for (const agent of agents) {
    for (const [name, milli] of agent.total.scalars) total.set(name, (total.get(name) ?? 0) + milli);
  }
  for (const framework of wanting) forgetExpired(framework, now);
  const grants = allocate(
    agents,
    wanting.map((f) => ({
      id: f.id,
      roles: f.roles.filter((role) => !f.suppressed.has(role)),
      held: f.held,
      refusals: f.refusals,
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
    take(agent, framework, grant.role, grant.amounts);
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
    tell(framework, event);
  }
}

function isWanted(master: Master, { offerConstraints }: Framework, role: string, agentId: string): boolean {
  const agent = master.agents.get(agentId);
  return agent !== undefined && letsThrough(offerConstraints, role, agent.info);
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
    resources: wireResources(offer.amounts, offer.role),
    ...(agent.info.attributes?.length ? { attributes: agent.info.attributes } : {}),
    ...(executorIds.length > 0 ? { executor_ids: executorIds.map((value) => ({ value })) } : {}),
    allocation_info: { role: offer.role },
  };
}

/** Ends an offer. Its resources are free again, unless they were accepted and `accept` settles them. */
export function removeOffer(master: Master, offer: OutstandingOffer): void {
  master.offers.delete(offer.id);
  giveBack(
    master.agents.get(offer.agentId),
    master.frameworks.get(offer.frameworkId),
    offer.role,
    offer.amounts,
  );
}

/** Takes offers back, telling their framework. */
export function rescindOffers(master: Master, which: (offer: OutstandingOffer) => boolean): void {
  for (const offer of [...master.offers.values()].filter(which)) {
    removeOffer(master, offer);
    const framework = master.frameworks.get(offer.frameworkId);
    if (framework) tell(framework, { type: 'RESCIND', rescind: { offer_id: { value: offer.id } } });
  }
}

/** Drops a framework's offers without a word: its connection is gone, and they died with it. */
export function dropOffersOf(master: Master, framework: Framework): void {
  for (const offer of [...master.offers.values()]) {
    if (offer.frameworkId === framework.id) removeOffer(master, offer);
  }
}

/**
 * Remembers a refusal. A filter lasts at least until the next allocation; `refuse_seconds: 0` sets none, and the
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

/** A call that names a role its framework doesn't have is dropped as a whole. */
function haveRoles(framework: Framework, roles: readonly string[]): boolean {
  return roles.every((role) => framework.roles.includes(role));
}

/** Wants no offers for these roles. @param roles those named in the call; none stands for all */
export function suppress(framework: Framework, roles: readonly string[]): void {
  if (!haveRoles(framework, roles)) return;
  for (const role of roles.length > 0 ? roles : framework.roles) framework.suppressed.add(role);
}

/** Wants offers again, and forgets what was refused: allocated at once. */
export function revive(master: Master, framework: Framework, roles: readonly string[]): void {
  if (!haveRoles(framework, roles)) return;
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
