/**
 * The election among schedulers, in ZooKeeper below the path of `--zk`: `leader/member_NNNNNNNNNN`, each holding the
 * `host:port` of its API. A follower whose session ends stands for election again with a new session; a leader does
 * not.
 */

import type { Logger } from 'pino';
import { childPath, type ZooKeeperAddress } from '../zookeeper/address.ts';
import { type SessionKey, untilAnswered, type ZooKeeperSession } from '../zookeeper/client.ts';
import { type Candidacy, contend } from '../zookeeper/election.ts';
import { followLeader, sortMembers } from '../zookeeper/members.ts';
import { openZooKeeper } from '../zookeeper/session.ts';
import type { Leader } from './proxy.ts';

const PREFIX = 'member_';
/**
 * A leader whose host has failed keeps the leadership until its session ends, which is most of a failover: 6 to 9 s with
 * ZooKeeper's default tick of 2 s. With a shorter session, a slow disk of ZooKeeper would look like a dead scheduler. If
 * only its process has died, the next one ends the session (former-sessions.ts).
 */
const SESSION_MS = 6000;

export interface ElectionOptions {
  zooKeeper: ZooKeeperAddress;
  /** `host:port` under which other hosts reach this scheduler's API. */
  address: string;
  log: Logger;
  /** Called with the key of each new session. */
  onSession: (key: SessionKey) => void;
  /** Called at most once, when this scheduler becomes the leader; its leadership depends on the session. */
  onElected: (session: ZooKeeperSession) => void;
  /** Called when this scheduler has lost the leadership: it must not act any more. */
  onDeposed: (reason: string) => void;
}

export interface Election {
  /** True while this scheduler leads, also according to its own clock. */
  leads(): boolean;
  /** The leading scheduler, possibly this one; undefined if none is known. */
  leader(): Leader | undefined;
  /** Ends the candidacy, so that another scheduler can lead at once. */
  stop(): Promise<void>;
}

/** @returns the API addresses of all candidates, the leader's first */
export async function listCandidates(
  session: ZooKeeperSession,
  zooKeeper: ZooKeeperAddress,
): Promise<string[]> {
  const path = childPath(zooKeeper.path, 'leader');
  const names = sortMembers((await untilAnswered(() => session.children(path))) ?? [], PREFIX);
  const found = await Promise.all(
    names.map((name) => untilAnswered(() => session.get(childPath(path, name)))),
  );
  return found.flatMap((znode) => znode?.data.toString('utf8') ?? []);
}

export function standForElection(options: ElectionOptions): Election {
  const { zooKeeper, address, log, onSession, onElected, onDeposed } = options;
  const { servers, credentials } = zooKeeper;
  const path = childPath(zooKeeper.path, 'leader');
  const stopping = new AbortController();
  let session: ZooKeeperSession | undefined;
  let candidacy: Candidacy | undefined;
  let leader: Leader | undefined;
  let endTerm = (): void => {};
  let wasElected = false;

  const follow = (leading: string | undefined): void => {
    if (leading === leader?.address) return;
    endTerm();
    const term = new AbortController();
    endTerm = () => term.abort();
    leader = leading === undefined ? undefined : { address: leading, term: term.signal };
  };

  /** Resolves when the candidacy ends. @returns the reason */
  const stand = async (by: ZooKeeperSession): Promise<string> => {
    const unfollow = followLeader({
      session: by,
      path,
      prefix: PREFIX,
      onChange: (member) => follow(member?.data.toString('utf8')),
      onError: (error) => log.error({ err: error }, `can't read the leader from ZooKeeper at ${path}`),
    });
    const reason = await new Promise<string>((resolve) => {
      candidacy = contend({
        session: by,
        path,
        prefix: PREFIX,
        data: Buffer.from(address),
        access: 'creator',
        onElected: () => {
          wasElected = true;
          onElected(by);
        },
        onOver: (why) => {
          if (wasElected && !stopping.signal.aborted) onDeposed(why);
          resolve(why);
        },
      });
    });
    unfollow();
    follow(undefined);
    return reason;
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted && !wasElected) {
      session = await openZooKeeper({
        servers,
        ...(credentials !== undefined && { credentials }),
        timeoutMs: SESSION_MS,
        signal: stopping.signal,
        onProblem: (message) => log.warn(`ZooKeeper: ${message}`),
      });
      onSession(session.key);
      log.info({ session: session.id }, 'connected to ZooKeeper; standing for election');
      const reason = await stand(session);
      if (!stopping.signal.aborted) log.warn(`no longer a candidate: ${reason}`);
      await session.close();
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) onDeposed(error instanceof Error ? error.message : String(error));
  });

  return {
    leads: () => candidacy?.isLeader() ?? false,
    leader: () => leader,
    stop: async () => {
      stopping.abort();
      await session?.close();
      await running;
    },
  };
}
