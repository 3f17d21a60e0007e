/** The schedulers of the cluster: each one serves the page (pure). */

import type { InfoJson } from '../../scheduler/api/v2/scheduler-schemas.ts';

export type SchedulerMember = NonNullable<InfoJson['schedulers']>[number];

/** @returns the URL of a scheduler for a page that was loaded like this one */
export function urlFor({ urls }: SchedulerMember, protocol: string): string | undefined {
  return urls.find((url) => url.startsWith(`${protocol}//`)) ?? urls[0];
}

/** @param own the origin of the page @returns the schedulers that can serve the page if this one is gone */
export function othersThan(
  own: { readonly origin: string; readonly protocol: string },
  all: readonly SchedulerMember[],
): { readonly address: string; readonly url: string }[] {
  return all.flatMap((one) => {
    const url = urlFor(one, own.protocol);
    return url === undefined || one.urls.includes(own.origin) ? [] : [{ address: one.address, url }];
  });
}
