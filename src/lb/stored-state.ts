/** What a balancer keeps over its restarts. */

import * as z from 'zod';
import type { StoredFile } from '../stored/file.ts';
import { readerOf } from '../stored/reader.ts';
import type { Claims } from './routing.ts';
import type { Slots } from './slots.ts';
import { type Snapshot, snapshotSchema } from './snapshot.ts';

export interface LbState {
  readonly snapshot: Snapshot;
  readonly claims: Claims;
  readonly slots: Slots;
}

const names = z.record(z.string(), z.string());
const server = z.object({ taskId: z.string(), address: z.string(), weight: z.number().optional() });

const schema = z.object({
  snapshot: snapshotSchema,
  claims: z.object({ ports: names, hosts: names }),
  slots: z.record(
    z.string(),
    z.object({ next: z.number(), slots: z.array(z.object({ server: server.optional() })) }),
  ),
});

const read = readerOf(schema);

export const LB_STATE: StoredFile<LbState> = {
  format: 1,
  read: (content) => {
    const { snapshot, claims, slots } = read(content);
    const places = Object.entries(slots).map(
      ([backend, one]) => [backend, { ...one, slots: one.slots.map(({ server }) => ({ server })) }] as const,
    );
    return { snapshot, claims, slots: new Map(places) };
  },
};

export function storedContent({ snapshot, claims, slots }: LbState): object {
  return { snapshot, claims, slots: Object.fromEntries(slots) };
}
