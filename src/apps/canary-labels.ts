/**
 * The labels of canaries, which hold all of their state: the deployment group and the share, which load balancers read, and
 * the configuration that a canary was made from.
 */

import { SHARE_LABEL } from '../scheduler/domain/share-label.ts';

export const GROUP_LABEL = 'HAPROXY_DEPLOYMENT_GROUP';
/** The `lastConfigChangeAt` that the app had when its canary was made. */
export const BASE_LABEL = 'MESOSUP_CANARY_BASE';
const CANARY = '-canary';

interface LabelledApp {
  readonly id: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export function canaryIdOf(appId: string): string {
  return `${appId}${CANARY}`;
}

/** @returns the app and the share of a canary; undefined for another app */
export function canaryOf({
  id,
  labels = {},
}: LabelledApp): { readonly appId: string; readonly share: number } | undefined {
  if (!id.endsWith(CANARY) || labels[BASE_LABEL] === undefined) return undefined;
  return { appId: id.slice(0, -CANARY.length), share: Number(labels[SHARE_LABEL] ?? 0) };
}

/** The labels of a canary with another share. */
export function sharedLabels({ labels }: Pick<LabelledApp, 'labels'>, share: number): Record<string, string> {
  return { ...labels, [SHARE_LABEL]: String(share) };
}

/** True for a label that only the canary has. */
export function isOwn(label: string): boolean {
  return label === GROUP_LABEL || label === SHARE_LABEL || label === BASE_LABEL;
}
