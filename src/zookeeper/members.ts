/**
 * A group in ZooKeeper: ephemeral sequential znodes `<prefix>NNNNNNNNNN` under one path. The lowest number leads. Mesos
 * masters and mesosup's schedulers use this form of election.
 */

import { childPath } from './address.ts';
import { isZooKeeperError, type ZooKeeperSession } from './client.ts';

export interface Member {
  /** Includes the sequence number. */
  readonly name: string;
  readonly data: Buffer;
}

/** Selects the names with the prefix and sorts them, the leader first. */
export function sortMembers(names: readonly string[], prefix: string): string[] {
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
   * Called first with the current members, then at each change: the leader and all names under the path. Called only
   * while the session is alive. New data of the same leader counts as a change.
   */
  onChange: (leader: Member | undefined, names: readonly string[]) => void;
  /** Called if the group can't be read, for example without access rights. Following has ended. */
  onError: (error: unknown) => void;
}

/** Follows the leader of a group until the session ends. @returns a function that stops following */
export function followLeader(options: FollowOptions): () => void {
  const { session, path, prefix, onChange, onError } = options;
  let running = true;
  let reading = false;
  let again = false;
  let last: string | undefined;

  const readGroup = async (): Promise<void> => {
    again = false;
    const names = await session.children(path, changed);
    if (names === undefined) {
      // The watch waits for the path's creation; the path may have been created since.
      if (await session.exists(path, changed)) again = true;
      else notify(undefined, []);
      return;
    }
    for (const name of sortMembers(names, prefix)) {
      const znode = await session.get(childPath(path, name), changed);
      // The znode was removed since: the next member leads, and the watch on the children causes another read.
      if (!znode) continue;
      notify({ name, data: znode.data }, names);
      return;
    }
    notify(undefined, names);
  };

  const notify = (leader: Member | undefined, names: readonly string[]): void => {
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
          await readGroup();
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
