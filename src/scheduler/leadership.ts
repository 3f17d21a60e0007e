/**
 * The election among schedulers, in ZooKeeper below the path of `--zk`: `leader/member_NNNNNNNNNN`, each with the
 * `host:port` where its API is. A follower whose session ends stands again with a new one; a leader doesn't.
 */

import type { Logger } from 'pino';
import { childPath, type ZooKeeperAddress } from '../zookeeper/address.ts';
import { untilAnswered, type ZooKeeperSession } from '../zookeeper/client.ts';
import { type Candidacy, contend } from '../zookeeper/election.ts';
import { followLeader, inOrder } from '../zookeeper/members.ts';
import { openZooKeeper } from '../zookeeper/session.ts';
import type { Leader } from './proxy.ts';

const PREFIX = 'member_';
/**
 * A killed leader leads until its session ends, and that is nearly all of a failover: with ZooKeeper's usual tick of
 * 2 s it is over 6 to 9 s later. A shorter one would take a slow disk of ZooKeeper's for a dead scheduler.
 */
const SESSION_MS = 6000;

export interface ElectionOptions {
  zooKeeper: ZooKeeperAddress;
  /** `host:port` under which others reach our API. */
  address: string;
  log: Logger;
  /** We lead; the session is the one that we lead by. Called once at most. */
  onElected: (session: ZooKeeperSession) => void;
  /** We led, and may no more: nothing may be done from here on. */
  onDeposed: (reason: string) => void;
}

export interface Election {
  /** Whether we lead, by the clock too. */
  leads(): boolean;
  /** The scheduler that leads, maybe ours; undefined where none is known. */
  leader(): Leader | undefined;
  /** Lets others lead at once. */
  stop(): Promise<void>;
}

/** Where the schedulers that stand for election have their APIs, the leader's first. */
export async function listCandidates(
  session: ZooKeeperSession,
  zooKeeper: ZooKeeperAddress,
): Promise<string[]> {
  const path = childPath(zooKeeper.path, 'leader');
  const names = inOrder((await untilAnswered(() => session.children(path))) ?? [], PREFIX);
  const found = await Promise.all(
    names.map((name) => untilAnswered(() => session.get(childPath(path, name)))),
  );
  return found.flatMap((znode) => znode?.data.toString('utf8') ?? []);
}

export function standForElection(options: ElectionOptions): Election {
  const { zooKeeper, address, log, onElected, onDeposed } = options;
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

  /** @returns why it is over, once it is */
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
    leads: () => candidacy?.leads() ?? false,
    leader: () => leader,
    stop: async () => {
      stopping.abort();
      await session?.close();
      await running;
    },
  };
}
