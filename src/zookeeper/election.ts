/**
 * Standing for election in a group (see members.ts). Whoever leads does so until its session ends, it withdraws, or
 * its znode is removed; only then the next in line is elected. A session's own deadline passes before the
 * ensemble's, so two never lead at once as long as a leader stops acting at `onOver`. Where another hand removes the
 * znode, both hear of it at about the same time; whoever stores fenced writes is safe there too.
 */

import { childPath } from './address.ts';
import { type Access, isZooKeeperError, untilAnswered, type ZooKeeperSession } from './client.ts';
import { inOrder } from './members.ts';

export interface ContendOptions {
  session: ZooKeeperSession;
  /** Created where it is missing. */
  path: string;
  /** Such as `json.info_` or `member_`. */
  prefix: string;
  /** What others read of us. */
  data: Uint8Array;
  /** Of the znode, and of those of the path that are created. */
  access: Access;
  /** We lead. Called once at most. */
  onElected: () => void;
  /**
   * We lead no more, or will not come to: the session has ended, the znode was removed or could not be made. Called
   * once, unless we withdrew first.
   */
  onOver: (reason: string) => void;
}

export interface Candidacy {
  /** Whether we lead, by the clock too: ask before each act that only a leader may do. */
  leads(): boolean;
  /** Resolves once others can be elected. */
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

  leads(): boolean {
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
    if (!this.#over) void this.#look();
  }

  /** Our znode may have been made although its creation was never answered. */
  async #findOwn(): Promise<string | undefined> {
    const { session, path, prefix } = this.#options;
    for (const name of inOrder((await session.children(path)) ?? [], prefix)) {
      if ((await session.exists(childPath(path, name)))?.owner === session.id) return name;
    }
    return undefined;
  }

  /** Nobody can get in before us, so once elected only our own removal matters. */
  readonly #look = async (): Promise<void> => {
    if (this.#over) return;
    const { session, path, prefix, onElected } = this.#options;
    try {
      const names = await untilAnswered(() => session.children(path, this.#look));
      if (this.#over) return;
      const [first, ...others] = inOrder(names ?? [], prefix);
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
