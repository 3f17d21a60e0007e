/** The cluster's lock, held on one host by an open channel, so that it is released when its holder ends. */

import { PassThrough } from 'node:stream';
import { z } from 'zod';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Host } from '../../hosts/host.ts';
import { parseJson } from '../../json.ts';
import { assemble, type HostScripts } from '../script/host-scripts.ts';

/** Another mesosup holds the cluster's lock. */
export class ClusterLockedError extends MesosupError {
  override name = 'ClusterLockedError';
  /** user@machine (pid). */
  readonly who: string;
  /** Milliseconds since 1970, by the host's clock. */
  readonly since: number;

  constructor(host: string, who: string, since: number) {
    super(`the cluster is locked on ${host} by ${who} since ${new Date(since).toISOString()}`, {
      host,
      remedy:
        'Wait until that run is done. If its machine is down, the lock is released when the connection ends.',
    });
    this.who = who;
    this.since = since;
  }
}

export interface ClusterLock extends AsyncDisposable {
  /** Settles when the lock is no longer held: released, or the connection was lost. */
  readonly over: Promise<void>;
  release(): Promise<void>;
}

const holder = z.object({ who: z.string(), since: z.number() });

/** @throws ClusterLockedError; HostError when the host can't be used */
export async function acquireClusterLock(
  host: Host,
  scripts: HostScripts,
  who: string,
): Promise<ClusterLock> {
  const input = new PassThrough();
  const { promise: answered, resolve: answer } = Promise.withResolvers<string>();
  const running = host.run(lockScript(scripts, who), { input, onLine: answer });
  const first = await Promise.race([answered, running.then(({ stderr }) => stderr)]);
  if (first !== 'locked') {
    input.end();
    await running;
    const other = holder.safeParse(parseJson(first)).data ?? { who: 'an unknown user', since: Date.now() };
    throw new ClusterLockedError(host.name, other.who, other.since);
  }
  const over = running.then(
    () => {},
    () => {},
  );
  const release = async () => {
    input.end();
    await over;
  };
  return { over, release, [Symbol.asyncDispose]: release };
}

/** Holds the lock while `body` runs. @throws ClusterLockedError; HostError; what `body` throws */
export async function withClusterLock<T>(
  host: Host,
  scripts: HostScripts,
  who: string,
  body: () => Promise<T>,
): Promise<T> {
  const lock = await acquireClusterLock(host, scripts, who);
  try {
    return await body();
  } finally {
    await lock.release();
  }
}

const LOCK = '/run/mesosup/cluster.lock';

function lockScript(scripts: HostScripts, who: string): string {
  const values = { LOCK, RECORD: JSON.stringify({ who }).replace(/}$/, '') };
  return assemble(scripts, ['cluster-lock.sh'], values, ['hold_lock']);
}
