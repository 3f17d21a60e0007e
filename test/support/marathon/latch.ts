/**
 * Stands for election as Marathon does: with Curator's LeaderLatch below `leader-curator`. Each candidate has an
 * ephemeral sequential znode `_c_UUID-latch-NNNNNNNNNN`, which holds its host and port, and watches the one before its
 * own. Sources: Marathon's documentation of its znodes, Curator's documentation of the recipe.
 */

import { randomUUID } from 'node:crypto';
import { childPath, parseZooKeeperAddress } from '../../../src/zookeeper/address.ts';
import { openZooKeeper } from '../../../src/zookeeper/session.ts';

export function leadIn(zk: string, timeoutMs: number, address: string, onLead: () => void): void {
  void stand(zk, timeoutMs, address, onLead);
}

async function stand(zk: string, timeoutMs: number, address: string, onLead: () => void): Promise<void> {
  const { servers, credentials, path } = parseZooKeeperAddress(zk);
  const session = await openZooKeeper({
    servers,
    ...(credentials !== undefined && { credentials }),
    timeoutMs,
  });
  // Marathon exits when it loses its session.
  void session.ended.then(() => process.exit(1));
  const latch = childPath(path, 'leader-curator');
  await session.createPath(latch, 'creator');
  const own = await session.create(
    childPath(latch, `_c_${randomUUID()}-latch-`),
    Buffer.from(address),
    'creator',
    'ephemeral-sequential',
  );
  const number = (name: string) => name.slice(name.lastIndexOf('latch-') + 'latch-'.length);
  const check = async (): Promise<void> => {
    const names = ((await session.children(latch)) ?? []).sort((a, b) => (number(a) < number(b) ? -1 : 1));
    const at = names.indexOf(own.slice(own.lastIndexOf('/') + 1));
    if (at === 0) {
      onLead();
      return;
    }
    // Curator reads the children again when the candidate before it has gone.
    const before = await session.exists(childPath(latch, names[at - 1] ?? ''), () => void check());
    if (!before) await check();
  };
  await check();
}
