/** Finds the ports of an earlier version of an app that are the same as those of its present version. */

import type { DeclaredPort } from './app.ts';

type Port = Pick<DeclaredPort, 'name' | 'servicePort'>;

/**
 * A port is the one with the same name, else the one with the same service port, else the one at its position: the
 * service port of a port may change, and ports may be put in another order.
 * @returns for each present port its index among the earlier ones; undefined for a new port
 */
export function matchingPorts(present: readonly Port[], earlier: readonly Port[]): (number | undefined)[] {
  const found = present.map(({ name, servicePort }) => {
    const named = name === undefined ? -1 : earlier.findIndex((one) => one.name === name);
    if (named >= 0) return named;
    const same = earlier.findIndex((one) => servicePort !== 0 && one.servicePort === servicePort);
    return same >= 0 ? same : undefined;
  });
  const taken = new Set(found);
  return found.map((index, i) => index ?? (i < earlier.length && !taken.has(i) ? i : undefined));
}
