/** Payloads on a host that no program uses any more. Some are kept, since an upgrade can go back to them. */

import type { Facts } from '../facts.ts';
import type { PlanItem } from '../plan.ts';
import { PAYLOADS } from '../script/places.ts';

/** Number of payloads that are kept besides the one in use. */
export const KEPT_PAYLOADS = 2;

/** @param current the version in use after the plan */
export function unusedPayloads({ mesosup }: Pick<Facts, 'mesosup'>, current: string): PlanItem[] {
  const { payloads, released, inUse = [] } = mesosup;
  const kept = new Set([current, mesosup.current, ...released, ...inUse]);
  // The version that the upgrade replaces is one of those that are kept.
  const others = payloads.filter((version) => !kept.has(version));
  const spared = mesosup.current === current ? KEPT_PAYLOADS : KEPT_PAYLOADS - 1;
  return others.slice(spared).map((version) => ({
    id: `payload:${version}`,
    action: 'remove',
    title: `${PAYLOADS}/${version}: remove`,
    diff: [],
    reason: 'because no program uses it',
  }));
}
