/**
 * Takes part in Marathon's election: the LeaderLatch of Curator, sequential znodes below `leader-curator` of Marathon's
 * ZooKeeper path. Candidates are ordered by the text after `latch-` in their names, the first leads, and each znode holds
 * the candidate's host and port. Sources: Marathon 1.11 (path, access rights, DELETE /v2/leader, which makes the leader
 * leave the election and exit) and Curator (names, order).
 */

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childPath, showZooKeeperAddress, type ZooKeeperAddress } from '../../zookeeper/address.ts';
import { isZooKeeperError, untilAnswered, type ZooKeeperSession } from '../../zookeeper/client.ts';
import { type Place, withSession } from '../backup/place.ts';
import { TakeoverError } from './sources.ts';

const ORDERED_BY = 'latch-';
const CANDIDATE = `mesosup-candidate-${ORDERED_BY}`;
const KEPT = `mesosup-${ORDERED_BY}`;
/** Marathons that do not lead forward requests to the leader's address; this one never exists. */
const ADDRESS = 'mesosup.invalid:80';
const EVERY_MS = 500;
/** Time for a leader to leave the election, before it is asked again. */
const ASK_EVERY_MS = 15_000;

export interface Latch {
  /** True while this process leads Marathon's election, so that no Marathon can subscribe. */
  leads(): boolean;
  /**
   * Resolves when this process leads.
   * @param abdicate asks the Marathon at an address, `host:port`, to give up the leadership
   */
  lead(abdicate: (address: string) => Promise<void>, waitMs: number): Promise<void>;
  /** Keeps the leadership for the state at `place` when this process has ended, until `releaseLatch`. */
  keep(place: Place): Promise<void>;
}

/** Stands for election during the work. Without `keep`, Marathon can lead again afterwards. */
export async function withLatch<T>(
  zooKeeper: ZooKeeperAddress,
  work: (latch: Latch) => Promise<T>,
): Promise<T> {
  const path = pathOf(zooKeeper);
  return withSession(zooKeeper, async (session) => {
    if (!(await untilAnswered(() => session.exists(path)))) throw noElectionError(zooKeeper);
    const created = await session.create(
      childPath(path, CANDIDATE),
      Buffer.from(ADDRESS),
      'creator-world-read',
      'ephemeral-sequential',
    );
    return work(latchOf(session, path, created.slice(created.lastIndexOf('/') + 1)));
  });
}

/** @returns the `keptAddress` of the takeover that keeps the leadership of Marathon's election, if there is one */
export function findKeptAddress(zooKeeper: ZooKeeperAddress): Promise<string | undefined> {
  const path = pathOf(zooKeeper);
  return withSession(zooKeeper, async (session) => {
    const name = (await candidates(session, path)).find(isKept);
    if (name === undefined) return undefined;
    const znode = await untilAnswered(() => session.get(childPath(path, name)));
    return znode?.data.toString('utf8');
  });
}

/** @returns the address that a takeover into this state leaves in the election: it tells it from other takeovers */
export function keptAddress(place: Place): string {
  const name =
    'directory' in place
      ? [hostname(), resolve(place.directory)]
      : [...place.zooKeeper.servers.map((server) => JSON.stringify(server)).sort(), place.zooKeeper.path];
  return `${createHash('sha256').update(JSON.stringify(name)).digest('hex').slice(0, 16)}.${ADDRESS}`;
}

/** Lets Marathon lead again. @returns false if no takeover keeps the leadership */
export function releaseLatch(zooKeeper: ZooKeeperAddress): Promise<boolean> {
  const path = pathOf(zooKeeper);
  return withSession(zooKeeper, async (session) => {
    const kept = (await candidates(session, path)).filter(isKept);
    for (const name of kept) {
      try {
        await untilAnswered(() => session.delete(childPath(path, name)));
      } catch (error) {
        if (!isZooKeeperError(error, 'NO_NODE')) throw error;
      }
    }
    return kept.length > 0;
  });
}

function latchOf(session: ZooKeeperSession, path: string, own: string): Latch {
  let isFirst = false;
  const leads = () => isFirst && session.state !== 'ended';
  return {
    leads,
    lead: async (abdicate, waitMs) => {
      const end = performance.now() + waitMs;
      let asked: string | undefined;
      let askedAt = 0;
      for (;;) {
        const [first] = await candidates(session, path);
        if (first === own) {
          isFirst = true;
          return;
        }
        const now = performance.now();
        if (now >= end) {
          throw new TakeoverError(
            `Marathon has not given up its leadership within ${Math.round(waitMs / 1000)} s. Nothing was changed`,
          );
        }
        if (first !== undefined && (first !== asked || now - askedAt >= ASK_EVERY_MS)) {
          asked = first;
          askedAt = now;
          const znode = await untilAnswered(() => session.get(childPath(path, first)));
          if (znode) await abdicate(znode.data.toString('utf8'));
        }
        await sleep(EVERY_MS);
      }
    },
    keep: async (place) => {
      // With the number of the own candidate it comes before all candidates that have joined since.
      const name = `${KEPT}${numberOf(own)}`;
      if (!leads()) throw new TakeoverError('the session with ZooKeeper has ended. Nothing was changed');
      try {
        await untilAnswered(() =>
          session.create(childPath(path, name), Buffer.from(keptAddress(place)), 'creator-world-read'),
        );
      } catch (error) {
        // After a lost connection, it may have been created already.
        if (!isZooKeeperError(error, 'NODE_EXISTS')) throw error;
      }
    },
  };
}

async function candidates(session: ZooKeeperSession, path: string): Promise<string[]> {
  const names = (await untilAnswered(() => session.children(path))) ?? [];
  return names
    .filter((name) => name.includes(ORDERED_BY))
    .sort((a, b) => (numberOf(a) < numberOf(b) ? -1 : 1));
}

function numberOf(name: string): string {
  return name.slice(name.lastIndexOf(ORDERED_BY) + ORDERED_BY.length);
}

function isKept(name: string): boolean {
  return name.startsWith(KEPT);
}

function pathOf({ path }: ZooKeeperAddress): string {
  return childPath(path, 'leader-curator');
}

function noElectionError(zooKeeper: ZooKeeperAddress): TakeoverError {
  return new TakeoverError(
    `${showZooKeeperAddress(zooKeeper)} has no leader-curator, where Marathon elects its leader: check --marathon-zk, or omit it and stop Marathon yourself`,
  );
}
