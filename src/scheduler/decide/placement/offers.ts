import type { Offer } from '../../../mesos/types.ts';
import type { StateEvent } from '../../domain/events.ts';
import { SCALARS } from '../../domain/placement.ts';
import { isResident } from '../../domain/residency.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import { decline } from '../connection/calls.ts';
import type { Call, Decision } from '../inputs.ts';
import { type Bin, openBin } from './bin.ts';
import { giveBack } from './give-back.ts';
import { place, type Round } from './place.ts';
import { noScalars, sum } from './pools.ts';
import { placeResident } from './resident.ts';
import { shelvedInOrder } from './shelf.ts';

/**
 * Limits the failed attempts for the offers of one event, so that they are answered soon even if many apps wait. The
 * remaining apps come first next time.
 */
const MAX_EFFORT = 100_000;
/** Filter for offers that were not tried for all apps; Mesos' default. */
const RETRY_SECONDS = 5;

/**
 * Fills offers with waiting tasks. Each offer is answered at once and never held: with an ACCEPT for all tasks that
 * fit, or with a DECLINE that filters the agent until offers are revived.
 */
export function handleOffers(state: State, offers: readonly Offer[], now: number): Decision {
  const bins = offers.map((offer, i) => openBin(offer, i, state));
  const events: StateEvent[] = recordLargestOffer(state, bins);
  for (const bin of bins) events.push(...giveBack(state, bin, now));
  const inOrder = shelvedInOrder(bins.filter(({ offer }) => !state.drainingAgents.has(offer.agent_id.value)));
  const round: Round = { state, now, inOrder, shelves: new Map(), events, effort: 0, asked: false };
  let allPlaced = true;
  let allTried = true;
  for (const appId of state.ready) {
    if (round.effort > MAX_EFFORT) {
      allTried = false;
      break;
    }
    const record = state.apps.get(appId);
    if (record && !placeApp(round, record)) allPlaced = false;
  }
  return { events, calls: answerOffers(state, bins, allPlaced && allTried, allTried) };
}

function placeApp(round: Round, record: AppRecord): boolean {
  const { active } = record;
  return active && isResident(active) ? placeResident(round, record, active) : place(round, record);
}

function recordLargestOffer({ largestOffer }: State, bins: readonly Bin[]): StateEvent[] {
  const largest = { ...(largestOffer ?? noScalars()) };
  let grew = largestOffer === undefined && bins.length > 0;
  for (const name of SCALARS) {
    for (const { pools } of bins) {
      const amount = sum(pools, name);
      if (amount <= largest[name]) continue;
      largest[name] = amount;
      grew = true;
    }
  }
  return grew ? [{ type: 'larger_offered', largest }] : [];
}

function answerOffers(state: State, bins: readonly Bin[], allPlaced: boolean, allTried: boolean): Call[] {
  const calls: Call[] = [];
  const unused: Bin[] = [];
  // The rest of an accepted offer is needed again at once only while tasks are waiting.
  const refuse_seconds = allPlaced ? state.settings.declineOfferMs / 1000 : 0;
  for (const bin of bins) {
    if (bin.tasks.length === 0 && bin.operations.length === 0) {
      unused.push(bin);
      continue;
    }
    calls.push({
      type: 'ACCEPT',
      accept: {
        offer_ids: [bin.offer.id],
        operations: [
          ...bin.operations,
          ...(bin.tasks.length > 0 ? [{ type: 'LAUNCH' as const, launch: { task_infos: bin.tasks } }] : []),
        ],
        filters: { refuse_seconds },
      },
    });
  }
  if (unused.length > 0) {
    const seconds = state.settings.declineOfferMs / 1000;
    calls.push(
      decline(
        unused.map(({ offer }) => offer.id),
        allTried ? seconds : Math.min(RETRY_SECONDS, seconds),
      ),
    );
  }
  return calls;
}
