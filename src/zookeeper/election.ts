/**
 * Takes part in the election of a group (see members.ts). A leader leads until its session ends, it withdraws, or its
 * znode is removed; only then the next candidate is elected. A session's own deadline is before the ensemble's, so two
 * candidates never lead at the same time, provided that a leader stops acting at `onOver`. If an operator removes the
 * znode, both candidates are notified at about the same time; fenced writes are safe in that case, too.
 */

import { childPath } from './address.ts';
import { type Access, isZooKeeperError, untilAnswered, type ZooKeeperSession } from './client.ts';
import { sortMembers } from './members.ts';

export interface ContendOptions {
  session: ZooKeeperSession;
  /** Created if missing. */
  path: string;
  /** For example `json.info_` or `member_`. */
  prefix: string;
  /** Data of the candidate's znode, for other clients. */
  data: Uint8Array;
  /** Access rights of the candidate's znode and of the created znodes of the path. */
  access: Access;
  /** Called when this candidate leads; at most once. */
  onElected: () => void;
  /**
   * Called when this candidate no longer leads or can't lead: the session has ended, or the znode was removed or could not
   * be created. Called once, but not after a withdrawal.
   */
  onOver: (reason: string) => void;
}

export interface Candidacy {
  /** True while this candidate leads, also by the clock. Check it before each action that only a leader may perform. */
  isLeader(): boolean;
  /** Resolves when another candidate can be elected. */
  withdraw(): Promise<void>;
}

export function contend(options: ContendOptions): Candidacy {
  return new Contender(options);
}

class Contender implements Candidacy {
  readonly #options: ContendOptions;
  readonly #joining: Promise<void>;
  #name: string | undefined;
  #elected = false;
  #over = false;

  constructor(options: ContendOptions) {
    this.#options = options;
    void options.session.ended.then((reason) => this.#end(`the session with ZooKeeper has ended: ${reason}`));
    this.#joining = this.#join().catch((error: unknown) => this.#end(messageOf(error)));
  }

  isLeader(): boolean {
    return this.#elected && !this.#over && this.#options.session.state !== 'ended';
  }

  async withdraw(): Promise<void> {
    this.#over = true;
    await this.#joining;
    const { session, path } = this.#options;
    if (this.#name === undefined) return;
    try {
      await untilAnswered(() => session.delete(childPath(path, this.#name ?? '')));
    } catch (error) {
      if (!isZooKeeperError(error, 'NO_NODE', 'SESSION_ENDED')) throw error;
    }
  }

  async #join(): Promise<void> {
    const { session, path, data, prefix, access } = this.#options;
    await untilAnswered(() => session.createPath(path, access));
    while (this.#name === undefined) {
      try {
        const created = await session.create(childPath(path, prefix), data, access, 'ephemeral-sequential');
        this.#name = created.slice(created.lastIndexOf('/') + 1);
      } catch (error) {
        if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
        this.#name = await untilAnswered(() => this.#findOwn());
      }
    }
    if (!this.#over) void this.#checkOrder();
  }

  /** Finds the candidate's znode, which may exist even if its creation was never answered. */
  async #findOwn(): Promise<string | undefined> {
    const { session, path, prefix } = this.#options;
    for (const name of sortMembers((await session.children(path)) ?? [], prefix)) {
      if ((await session.exists(childPath(path, name)))?.owner === session.id) return name;
    }
    return undefined;
  }

  /** Compares the candidate's position. No candidate can join in front, so a leader only loses by its own removal. */
  readonly #checkOrder = async (): Promise<void> => {
    if (this.#over) return;
    const { session, path, prefix, onElected } = this.#options;
    try {
      const names = await untilAnswered(() => session.children(path, this.#checkOrder));
      if (this.#over) return;
      const [first, ...others] = sortMembers(names ?? [], prefix);
      if (first === this.#name) {
        if (this.#elected) return;
        this.#elected = true;
        onElected();
      } else if (!others.some((name) => name === this.#name)) {
        this.#end(`${childPath(path, this.#name ?? prefix)} was removed`);
      }
    } catch (error) {
      this.#end(messageOf(error));
    }
  };

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onOver(reason);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
