/**
 * The watches of a session. The library is given one function a path and kind, whatever the number of watches:
 * it tells functions apart, and keeps each until something changes.
 */

import type { Watch } from './client.ts';

export type WatchKind = 'data' | 'children' | 'exists';

interface Entry {
  readonly watches: Set<Watch>;
  readonly fire: () => void;
}

export class Watches {
  readonly #entries = new Map<string, Entry>();

  /**
   * To be called before the request leaves: the change may be told in the same breath as the answer.
   * @returns what to have called at a change
   */
  add(kind: WatchKind, path: string, watch: Watch): () => void {
    const key = `${kind} ${path}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      const watches = new Set<Watch>();
      entry = { watches, fire: () => this.#fire(key, watches) };
      this.#entries.set(key, entry);
    }
    entry.watches.add(watch);
    return entry.fire;
  }

  remove(kind: WatchKind, path: string, watch: Watch): void {
    const key = `${kind} ${path}`;
    const watches = this.#entries.get(key)?.watches;
    watches?.delete(watch);
    if (watches?.size === 0) this.#entries.delete(key);
  }

  fireAll(): void {
    for (const [key, { watches }] of [...this.#entries]) this.#fire(key, watches);
  }

  #fire(key: string, watches: Set<Watch>): void {
    if (this.#entries.get(key)?.watches === watches) this.#entries.delete(key);
    const due = [...watches];
    watches.clear();
    for (const watch of due) watch();
  }
}
