/**
 * The watches of a session. As on a server, there is one set for the data of a znode, also used by `exists`, and one set
 * for its children.
 */

import type { Watch } from './client.ts';
import type { WatchEvent, WatchEventType } from './wire/protocol.ts';

export type WatchKind = 'data' | 'children';

const FIRES: Readonly<Record<WatchEventType, readonly WatchKind[]>> = {
  created: ['data'],
  deleted: ['data', 'children'],
  'data-changed': ['data'],
  'children-changed': ['children'],
};

export class Watches {
  readonly #sets = new Map<string, Set<Watch>>();

  /**
   * To be called while the answer to the request is read: an event before the answer belongs to an earlier watch, and an
   * event after it may arrive in the same chunk.
   */
  add(kind: WatchKind, path: string, watch: Watch): void {
    const key = keyOf(kind, path);
    const watches = this.#sets.get(key) ?? new Set();
    this.#sets.set(key, watches.add(watch));
  }

  fire({ type, path }: WatchEvent): void {
    for (const kind of FIRES[type]) this.#fire(keyOf(kind, path));
  }

  fireAll(): void {
    for (const key of [...this.#sets.keys()]) this.#fire(key);
  }

  #fire(key: string): void {
    const due = this.#sets.get(key) ?? [];
    this.#sets.delete(key);
    for (const watch of due) watch();
  }
}

function keyOf(kind: WatchKind, path: string): string {
  return `${kind} ${path}`;
}
