/** How the scheduler finds the leading master: from a list, or in ZooKeeper. */

import type { Logger } from 'pino';
import { detectFromList } from '../mesos/leader.ts';
import { showZooKeeperAddress, type ZooKeeperAddress } from '../zookeeper/address.ts';

export type Masters =
  /** `host:port` each; any that is up leads to the one that leads. */
  { readonly list: readonly string[] } | { readonly zooKeeper: ZooKeeperAddress };

export interface Detection {
  /** `host:port` of a master to subscribe with; rejects where none is known. */
  detect(): Promise<string>;
  stop(): Promise<void>;
}

/** @param onMoved another master leads than the one last given */
export async function openDetection(masters: Masters, log: Logger, onMoved: () => void): Promise<Detection> {
  if ('list' in masters) return { detect: detectFromList(masters.list), stop: async () => {} };
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
    stop: () => detector.stop(),
  };
}

/** For people: without a password. */
export function showMasters(masters: Masters): string {
  return 'list' in masters ? masters.list.join(',') : showZooKeeperAddress(masters.zooKeeper);
}
