/** Finds the leading master, from a list or in ZooKeeper. */

import type { Logger } from 'pino';
import { detectFromList } from '../mesos/leader.ts';
import { showZooKeeperAddress, type ZooKeeperAddress } from '../zookeeper/address.ts';

export type Masters =
  /** `host:port` of each master; any master that runs redirects to the leader. */
  { readonly list: readonly string[] } | { readonly zooKeeper: ZooKeeperAddress };

export interface Detection {
  /** @returns `host:port` of the master to subscribe with; rejects if none is known */
  detect(): Promise<string>;
  /** @returns `host:port` of each master, the leading one first if they are in ZooKeeper */
  all(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** @param onMoved called when another master leads than `detect` returned last */
export async function openDetection(
  masters: Masters,
  log: Pick<Logger, 'debug' | 'warn'>,
  onMoved: () => void,
): Promise<Detection> {
  if ('list' in masters) {
    const { list } = masters;
    return { detect: detectFromList(list), all: async () => list, stop: async () => {} };
  }
  const [{ createMasterDetector, masterAddress }, { openZooKeeper }] = await Promise.all([
    import('../zookeeper/detect.ts'),
    import('../zookeeper/session.ts'),
  ]);
  const { servers, credentials, path } = masters.zooKeeper;
  let current: string | undefined;
  const detector = createMasterDetector({
    path,
    open: (signal) =>
      openZooKeeper({
        servers,
        ...(credentials !== undefined && { credentials }),
        signal,
        onProblem: (message) => log.debug(`ZooKeeper of the masters: ${message}`),
      }),
    onLeader: (leader) => {
      if (!leader || current === undefined || masterAddress(leader) === current) return;
      current = undefined;
      onMoved();
    },
    onProblem: (message) => log.warn(message),
  });
  return {
    detect: async () => {
      current = await detector.detect();
      return current;
    },
    all: () => detector.all(),
    stop: () => detector.stop(),
  };
}

/** Without a password, for logs and answers. */
export function showMasters(masters: Masters): string {
  return 'list' in masters ? masters.list.join(',') : showZooKeeperAddress(masters.zooKeeper);
}
