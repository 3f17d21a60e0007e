/** A master among several: it stands for election in ZooKeeper and follows who leads, as `json.info_` znodes tell. */

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../mesos/http.ts';
import type { MasterInfo } from '../../mesos/types.ts';
import { showZooKeeperAddress, type ZooKeeperAddress } from '../../zookeeper/address.ts';
import type { ZooKeeperSession } from '../../zookeeper/client.ts';

export interface ElectionOptions {
  address: ZooKeeperAddress;
  /** As asked for; the servers bound it. Milliseconds. */
  sessionTimeoutMs: number;
  /** What others read of this master. */
  info: MasterInfo;
  /** This master leads, for as long as the session lives. */
  onElected: (session: ZooKeeperSession) => void;
  /** Another leads, or nobody does. */
  onFollow: (leader: MasterInfo | undefined) => void;
  /** This master led and leads no more, or can't stand for election at all: it has to end. */
  onLost: (reason: string) => void;
  log: (line: string) => void;
}

export interface Election {
  /** Leaves; another can be elected once this resolves. */
  stop(): Promise<void>;
}

/** `registry_fetch_timeout` */
const FETCH_TIMEOUT_MS = 60_000;
/** Between two looks at who stands for election. */
const LOOK_MS = 200;

/**
 * Resolves once so many masters stand for election. A real master's log, while it is empty, waits for all replicas,
 * which it takes to be twice the quorum less one (log/recover.cpp); then the master gives up fetching its registry.
 * @throws Error after `registry_fetch_timeout`
 */
export async function allMasters(
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
    await sleep(LOOK_MS);
  }
}

export function joinElection(options: ElectionOptions): Election {
  const stopping = new AbortController();
  let session: ZooKeeperSession | undefined;

  const run = async (): Promise<void> => {
    // Only a master among several needs the client: loading it takes longer than all else here.
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

/** Stands for election in one session. Resolves when that is over. */
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
      // That it leads itself a master learns from the election alone, which knows when that is over.
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
