/** The commands of haproxy's runtime socket that change the servers of running backends. */

import type { Slots } from './slots.ts';

/**
 * Servers are added before others are removed: a backend whose tasks are all replaced at once is never without one. Weights
 * rise before and fall after that: an app of a deployment group gets no more than its share in between.
 * @param running what haproxy has: the same backends, with the same number of places
 * @returns one command for each element, in order
 */
export function runtimeCommands(running: Slots, wanted: Slots): string[] {
  const added: string[] = [];
  const replaced: string[] = [];
  const removed: string[] = [];
  const risen: string[] = [];
  const fallen: string[] = [];
  for (const [backend, { slots }] of wanted) {
    for (const [i, { server }] of slots.entries()) {
      const before = running.get(backend)?.slots[i]?.server;
      const name = `${backend}/${slotName(i)}`;
      const isMoved = server?.address !== before?.address;
      if (!isMoved) {
        const [from, to] = [before?.weight ?? 1, server?.weight ?? 1];
        if (server && from !== to) (to > from ? risen : fallen).push(weightCommand(name, to));
        continue;
      }
      // Not "drain", in which clients with a cookie would still get it. Open connections continue.
      const leave = [`set server ${name} state maint`];
      // The next task at this place has its own weight.
      if (before?.weight !== undefined) leave.push(weightCommand(name, 1));
      const enter = server ? enterCommands(name, server.address, server.weight) : [];
      if (!before) added.push(...enter);
      else if (server) replaced.push(...leave, ...enter);
      else removed.push(...leave);
    }
  }
  return [...risen, ...added, ...replaced, ...removed, ...fallen];
}

function enterCommands(name: string, address: string, weight: number | undefined): string[] {
  const [, ip = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(address) ?? [];
  return [
    `set server ${name} addr ${ip} port ${port}`,
    ...(weight === undefined ? [] : [weightCommand(name, weight)]),
    `set server ${name} state ready`,
  ];
}

function weightCommand(name: string, weight: number): string {
  return `set server ${name} weight ${weight}`;
}

/** True if only servers differ, so that no reload is needed. */
export function haveSamePlaces(running: Slots, wanted: Slots): boolean {
  return (
    running.size === wanted.size &&
    [...wanted].every(([backend, { slots }]) => running.get(backend)?.slots.length === slots.length)
  );
}

/** The name of a server in the configuration. */
export function slotName(i: number): string {
  return `s${i + 1}`;
}

const DONE = /^(.* changed from .*|nothing changed|no need to change .*|)$/i;

/** @returns what haproxy answered instead of having changed a server */
export function refusedAnswer(answer: string): string | undefined {
  return answer
    .split('\n')
    .map((line) => line.trim())
    .find((line) => !DONE.test(line));
}
