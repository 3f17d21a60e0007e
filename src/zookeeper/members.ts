/**
 * A group in ZooKeeper: ephemeral sequential znodes `<prefix>NNNNNNNNNN` under one path. The lowest number leads.
 * Mesos masters and our schedulers both stand for election this way.
 */

import { childPath } from './address.ts';
import { isZooKeeperError, type ZooKeeperSession } from './client.ts';

export interface Member {
  /** With the sequence number. */
  readonly name: string;
  readonly data: Buffer;
}

/** The names of a group that begin with the prefix, the leader's first. */
export function inOrder(names: readonly string[], prefix: string): string[] {
  return names
    .filter((name) => name.startsWith(prefix) && /^-?\d{10,}$/.test(name.slice(prefix.length)))
    .sort((a, b) => sequenceOf(a, prefix) - sequenceOf(b, prefix));
}

function sequenceOf(name: string, prefix: string): number {
  return Number(name.slice(prefix.length));
}

export interface FollowOptions {
  session: ZooKeeperSession;
  path: string;
  prefix: string;
  /**
   * Told first what there is, then each change: who leads, and all names under the path. Called while the session
   * lives only. A leader that is the same as before, but with other data, counts as a change.
   */
  onChange: (leader: Member | undefined, names: readonly string[]) => void;
  /** The group can't be read, for example for want of a right; following has ended. */
  onError: (error: unknown) => void;
}

/** Follows who leads a group, until the session ends. @returns how to stop */
export function followLeader(options: FollowOptions): () => void {
  const { session, path, prefix, onChange, onError } = options;
  let running = true;
  let reading = false;
  let again = false;
  let last: string | undefined;

  const look = async (): Promise<void> => {
    again = false;
    const names = await session.children(path, changed);
    if (names === undefined) {
      // The watch is for the path's creation; it may have come to be since.
      if (await session.exists(path, changed)) again = true;
      else tell(undefined, []);
      return;
    }
    for (const name of inOrder(names, prefix)) {
      const znode = await session.get(childPath(path, name), changed);
      // Gone since: the next in line leads, and the watch on the children has another look follow.
      if (!znode) continue;
      tell({ name, data: znode.data }, names);
      return;
    }
    tell(undefined, names);
  };

  const tell = (leader: Member | undefined, names: readonly string[]): void => {
    const now = JSON.stringify([leader?.name, leader?.data.toString('base64'), [...names].sort()]);
    if (!running || now === last) return;
    last = now;
    onChange(leader, names);
  };

  const changed = (): void => {
    again = true;
    if (!reading) void read();
  };

  const read = async (): Promise<void> => {
    reading = true;
    try {
      while (again && running) {
        try {
          await look();
        } catch (error) {
          if (!isZooKeeperError(error, 'CONNECTION_LOSS')) throw error;
          again = true;
        }
      }
    } catch (error) {
      const ended = isZooKeeperError(error, 'SESSION_ENDED');
      if (running && !ended) onError(error);
      running = false;
    } finally {
      reading = false;
    }
  };

  changed();
  return () => {
    running = false;
  };
}
