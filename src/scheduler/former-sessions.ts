/**
 * Lets a scheduler that starts again end the session with ZooKeeper of a process that died before. Otherwise a killed
 * leader would keep the leadership until its session times out, although everyone on its host knows that it is dead.
 *
 * Each process keeps the key of its session in a file of its own, in the directory of `--data_dir`. A session is only
 * ended if its process is certainly dead: the same boot of the same kernel, the same namespace of process ids, and no
 * process with that id and start time. A stopped or hanging process is alive, and keeps its session. What a dead process
 * has sent is refused if it arrives late: by ZooKeeper since the session has ended and the epoch is checked, by the
 * master since the new leader's subscription has another stream id.
 */

import { readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import { parseJson } from '../json.ts';
import { identify, isAlive } from '../proc/process-id.ts';
import { showZooKeeperAddress, type ZooKeeperAddress } from '../zookeeper/address.ts';
import type { SessionKey } from '../zookeeper/client.ts';
import { endSession } from '../zookeeper/end-session.ts';

const PREFIX = 'zookeeper-session.';
/** Time limit for each server. */
const WITHIN_MS = 1000;

const keptSession = z.object({
  zooKeeper: z.string(),
  id: z.string(),
  password: z.string(),
  process: z.object({ pid: z.number(), startTime: z.string() }),
  boot: z.string(),
  namespace: z.string(),
});

export class FormerSessions {
  readonly #directory: string;
  readonly #zooKeeper: ZooKeeperAddress;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #own: string;
  #ended: Promise<void> = Promise.resolve();

  /** @param directory if it does not exist, nothing is kept */
  constructor(directory: string, zooKeeper: ZooKeeperAddress, log: Pick<Logger, 'info' | 'warn'>) {
    this.#directory = directory;
    this.#zooKeeper = zooKeeper;
    this.#log = log;
    this.#own = join(directory, `${PREFIX}${process.pid}`);
  }

  /** Keeps the key of this process's session instead of an earlier one. Never throws. */
  async keep({ id, password }: SessionKey): Promise<void> {
    const own = identify(process.pid);
    if (!own) return;
    // The former process may have had the same id, and thus the same file.
    await this.#ended;
    const zooKeeper = showZooKeeperAddress(this.#zooKeeper);
    const kept: z.infer<typeof keptSession> = { zooKeeper, id, password, process: own, ...here() };
    try {
      await this.forget();
      await writeFile(this.#own, JSON.stringify(kept), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.info(
        `if this scheduler is killed, its session with ZooKeeper lasts until its timeout: ${why}`,
      );
    }
  }

  /** Removes what `keep` has written. */
  async forget(): Promise<void> {
    await rm(this.#own, { force: true });
  }

  /** Ends the sessions of dead processes, and removes their files. Never throws. Once, before the first `keep`. */
  end(): Promise<void> {
    const ended = this.#endAll();
    this.#ended = ended;
    return ended;
  }

  async #endAll(): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    await Promise.all(
      names
        .filter((name) => name.startsWith(PREFIX))
        .map((name) =>
          this.#endOf(join(this.#directory, name)).catch((error: unknown) =>
            this.#log.warn(
              `${name} of an earlier process: ${error instanceof Error ? error.message : String(error)}`,
            ),
          ),
        ),
    );
  }

  async #endOf(file: string): Promise<void> {
    const { data: kept } = keptSession.safeParse(parseJson(await readFile(file, 'utf8')));
    const { boot, namespace } = here();
    if (kept?.boot === boot && kept.namespace === namespace) {
      if (isAlive(kept.process)) return;
      if (kept.zooKeeper === showZooKeeperAddress(this.#zooKeeper)) {
        const ended = await endSession(this.#zooKeeper.servers, kept, WITHIN_MS);
        if (ended)
          this.#log.info({ session: kept.id, pid: kept.process.pid }, 'ended the session of a dead process');
      }
    }
    await rm(file, { force: true });
  }
}

/** What a process id refers to. */
function here(): { boot: string; namespace: string } {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return { boot, namespace: readlinkSync('/proc/self/ns/pid') };
}
