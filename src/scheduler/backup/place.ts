/** Locates a scheduler's state by the flags that the scheduler has too. */

import { existsSync, readFileSync } from 'node:fs';
import { UsageError } from '../../errors/mesosup-error.ts';
import {
  fileOfFlag,
  parseZooKeeperAddress,
  showZooKeeperAddress,
  type ZooKeeperAddress,
} from '../../zookeeper/address.ts';
import type { ZooKeeperSession } from '../../zookeeper/client.ts';
import { openZooKeeper } from '../../zookeeper/session.ts';
import { StoreError } from '../store/store.ts';

export type Place = { readonly directory: string } | { readonly zooKeeper: ZooKeeperAddress };

export interface PlaceFlags {
  readonly zk?: string | undefined;
  readonly directory?: string | undefined;
}

/** Locations of an installed scheduler's state. */
export interface Installed {
  /** File with the address of ZooKeeper; exists only if the state is there. */
  readonly zkFile: string;
  readonly directory: string;
}

/** @throws UsageError */
export function resolvePlace({ zk, directory }: PlaceFlags, installed: Installed): Place {
  if (zk !== undefined && directory !== undefined) {
    throw new UsageError('--zk and --data-dir are both set: use only one of them');
  }
  if (directory !== undefined) return { directory };
  const source = zk ?? (existsSync(installed.zkFile) ? `file://${installed.zkFile}` : undefined);
  if (source === undefined) return { directory: installed.directory };
  return { zooKeeper: readAddress('zk', source) };
}

/**
 * Reads the address of ZooKeeper in a flag, or in the file that the flag names.
 * @throws UsageError
 */
export function readAddress(flag: string, source: string): ZooKeeperAddress {
  const file = fileOfFlag(source);
  try {
    const address = parseZooKeeperAddress(file === undefined ? source : readFileSync(file, 'utf8'));
    if (file !== undefined || address.credentials === undefined) return address;
  } catch (error) {
    throw new UsageError(`--${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new UsageError(
    `--${flag} contains a password, which would be visible in the process list: write the address to a file that only you can read, and use --${flag} file:///that/file`,
  );
}

export function showPlace(place: Place): string {
  return 'directory' in place ? place.directory : showZooKeeperAddress(place.zooKeeper);
}

const REACH_WITHIN_MS = 15_000;

/** @throws StoreError if ZooKeeper is unreachable or rejects the session */
export async function withSession<T>(
  zooKeeper: ZooKeeperAddress,
  work: (session: ZooKeeperSession) => Promise<T>,
): Promise<T> {
  const { servers, credentials } = zooKeeper;
  const problems: string[] = [];
  const signal = AbortSignal.timeout(REACH_WITHIN_MS);
  const session = await openZooKeeper({
    servers,
    ...(credentials !== undefined && { credentials }),
    signal,
    onProblem: (message) => problems.push(message),
  }).catch((error: unknown) => {
    const why = signal.aborted ? problems.join('; ') || 'no server answers' : String(error);
    throw new StoreError(`ZooKeeper at ${showZooKeeperAddress(zooKeeper)} can't be reached: ${why}`);
  });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
