/**
 * Gives each task a place among the servers of its backend. A backend has free places, so that a task can be added
 * through haproxy's runtime socket; only a backend without a free place needs a reload.
 */

import { bindText } from './address.ts';
import type { Server, Service } from './service.ts';

/** A place for a server; `server` is undefined for a free one. */
export interface Slot {
  readonly server: SlotServer | undefined;
}

interface SlotServer {
  readonly taskId: string;
  /** `IP:PORT` */
  readonly address: string;
  /** Undefined for 1. */
  readonly weight?: number | undefined;
}

export interface BackendSlots {
  readonly slots: readonly Slot[];
  /** Where the search for a free place begins: a place that became free lately is used last. */
  readonly next: number;
}

export type Slots = ReadonlyMap<string, BackendSlots>;

const LEAST = 4;

/**
 * @param before the places so far: tasks keep theirs
 * @param resolve returns the IP address of a host; undefined if it is unknown: a task keeps its place, and a new one gets none
 */
export function assignSlots(
  services: readonly Service[],
  before: Slots,
  resolve: (host: string) => string | undefined,
): Slots {
  return new Map(
    services.map(({ backend, servers }) => [
      backend,
      assignIn(before.get(backend), addressed(servers, before.get(backend), resolve)),
    ]),
  );
}

function addressed(
  servers: readonly Server[],
  before: BackendSlots | undefined,
  resolve: (host: string) => string | undefined,
): Map<string, SlotServer> {
  const placed = new Map(before?.slots.map(({ server }) => [server?.taskId, server]));
  return new Map(
    servers.flatMap(({ taskId, host, port, weight }) => {
      const ip = resolve(host);
      const address = ip === undefined ? placed.get(taskId)?.address : bindText(ip, port);
      if (address === undefined) return [];
      return [[taskId, { taskId, address, ...(weight !== undefined && { weight }) }]];
    }),
  );
}

function assignIn(before: BackendSlots | undefined, wanted: ReadonlyMap<string, SlotServer>): BackendSlots {
  const slots: Slot[] = (before?.slots ?? []).map(({ server }) => ({
    server: server && wanted.get(server.taskId),
  }));
  const placed = new Set(slots.map(({ server }) => server?.taskId));
  // Room for a deployment that starts as many tasks as there are.
  const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(Math.max(1, 2 * wanted.size))));
  if (wanted.size > slots.length) while (slots.length < size) slots.push({ server: undefined });
  if (slots.length === 0) slots.push(...Array.from({ length: LEAST }, () => ({ server: undefined })));
  let next = before?.next ?? 0;
  for (const [taskId, server] of wanted) {
    if (placed.has(taskId)) continue;
    while (slots[next % slots.length]?.server) next += 1;
    slots[next % slots.length] = { server };
    next += 1;
  }
  return { slots, next: next % slots.length };
}
