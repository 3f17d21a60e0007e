/** Detects the leading master in ZooKeeper. */

import { messageOf } from '../../mesos/http.ts';
import type { ZooKeeperAddress } from '../../zookeeper/address.ts';
import type { MasterSource } from './master-link.ts';

/** @param sessionTimeoutMs requested timeout; the servers limit it */
export async function detectMaster(
  { servers, credentials, path }: ZooKeeperAddress,
  sessionTimeoutMs: number,
  log: (line: string) => void,
): Promise<MasterSource> {
  // Only a cluster with ZooKeeper needs the client, and loading it is the slowest part of the start.
  const [{ openZooKeeper }, { createMasterDetector, masterAddress }] = await Promise.all([
    import('../../zookeeper/session.ts'),
    import('../../zookeeper/detect.ts'),
  ]);
  const listeners: ((master: string) => void)[] = [];
  const detector = createMasterDetector({
    path,
    open: (signal) =>
      openZooKeeper({
        servers,
        ...(credentials === undefined ? {} : { credentials }),
        timeoutMs: sessionTimeoutMs,
        signal,
        onProblem: (problem) => log(`ZooKeeper: ${problem}`),
      }),
    onLeader(leader) {
      if (!leader) return log('Lost leading master');
      let address: string;
      try {
        address = masterAddress(leader);
      } catch (error) {
        return log(`Cannot detect the master: ${messageOf(error)}`);
      }
      log(`New master detected at master@${address}`);
      for (const listener of listeners) listener(address);
    },
    onProblem: (problem) => log(`Cannot detect the master: ${problem}`),
  });
  return {
    fixed: false,
    current: () => detector.detect(),
    onChange: (listener) => void listeners.push(listener),
    stop: () => detector.stop(),
  };
}
