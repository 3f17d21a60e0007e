/** Takes part in the election of a master in ZooKeeper and follows the leader, by `json.info_` znodes. */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../mesos/http.ts';
import type { MasterInfo } from '../../mesos/types.ts';
import { showZooKeeperAddress, type ZooKeeperAddress } from '../../zookeeper/address.ts';
import type { ZooKeeperSession } from '../../zookeeper/client.ts';

export interface ElectionOptions {
  address: ZooKeeperAddress;
  /** Requested timeout in milliseconds; the servers limit it. */
  sessionTimeoutMs: number;
  /** The data that this master publishes. */
  info: MasterInfo;
  /** Called when this master leads; until the end of the session. */
  onElected: (session: ZooKeeperSession) => void;
  /** Called when another master leads, or none. */
  onFollow: (leader: MasterInfo | undefined) => void;
  /** Called when this master no longer leads or can't take part in the election: it must end. */
  onLost: (reason: string) => void;
  log: (line: string) => void;
}

export interface Election {
  /** Withdraws. Another master can be elected when this resolves. */
  stop(): Promise<void>;
}

/** `registry_fetch_timeout` */
const FETCH_TIMEOUT_MS = 60_000;
/** Poll interval for the list of candidates. */
const POLL_MS = 200;

/**
 * Waits for the given number of candidates. The empty log of a real master waits for all replicas, whose number is twice
 * the quorum minus one (log/recover.cpp), until the fetch of the registry times out.
 * @throws Error after `registry_fetch_timeout`
 */
export async function waitForMasters(
  session: ZooKeeperSession,
  path: string,
  needed: number,
  stopped: () => boolean,
): Promise<void> {
  const { MASTER_PREFIX } = await import('../../zookeeper/detect.ts');
  const deadline = Date.now() + FETCH_TIMEOUT_MS;
  while (!stopped()) {
    const names = (await session.children(path)) ?? [];
    if (names.filter((name) => name.startsWith(MASTER_PREFIX)).length >= needed) return;
    if (Date.now() > deadline)
      throw new Error('Failed to recover registrar: Failed to perform fetch within 1mins');
    await sleep(POLL_MS);
  }
}

export function joinElection(options: ElectionOptions): Election {
  const stopping = new AbortController();
  let session: ZooKeeperSession | undefined;

  const run = async (): Promise<void> => {
    // Only a master with ZooKeeper needs the client, and loading it is the slowest part of the start.
    const { openZooKeeper } = await import('../../zookeeper/session.ts');
    const { servers, credentials } = options.address;
    while (!stopping.signal.aborted) {
      session = await openZooKeeper({
        servers,
        ...(credentials === undefined ? {} : { credentials }),
        timeoutMs: options.sessionTimeoutMs,
        signal: stopping.signal,
        onProblem: (problem) => options.log(`ZooKeeper: ${problem}`),
      });
      options.log(`Connected to ${showZooKeeperAddress(options.address)}`);
      const outcome = await candidacy(options, session);
      await session.close();
      if (stopping.signal.aborted) return;
      if (outcome.led) return options.onLost(`Lost leadership: ${outcome.reason}`);
      options.log(`Lost candidacy as a follower: ${outcome.reason}; contending again`);
      options.onFollow(undefined);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) options.onLost(`Failed to stand for election: ${messageOf(error)}`);
  });
  return {
    async stop() {
      stopping.abort();
      await session?.close();
      await running;
    },
  };
}

/** Takes part in the election during one session. Resolves at its end. */
async function candidacy(
  { address, info, onElected, onFollow, log }: ElectionOptions,
  session: ZooKeeperSession,
): Promise<{ led: boolean; reason: string }> {
  const [{ contend }, { followMasters, MASTER_PREFIX }] = await Promise.all([
    import('../../zookeeper/election.ts'),
    import('../../zookeeper/detect.ts'),
  ]);
  let led = false;
  const stopFollowing = followMasters({
    session,
    path: address.path,
    onLeader(leader) {
      // Only the election decides if this master itself leads, since it knows when the leadership ends.
      if (led || leader?.id === info.id) return;
      onFollow(leader && { ...leader });
    },
    onProblem: log,
  });
  const reason = await new Promise<string>((resolve) => {
    contend({
      session,
      path: address.path,
      prefix: MASTER_PREFIX,
      data: Buffer.from(JSON.stringify(info), 'utf8'),
      access: 'creator-world-read',
      onElected() {
        led = true;
        onElected(session);
      },
      onOver: resolve,
    });
  });
  stopFollowing();
  return { led, reason };
}
