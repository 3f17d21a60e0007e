/**
 * Finding the leading Mesos master in ZooKeeper. Facts (Mesos 0.24 and later): each master that stands for election
 * has an ephemeral znode `json.info_NNNNNNNNNN` under the path, with its MasterInfo as JSON; the lowest number
 * leads. Older masters wrote `info_NNNNNNNNNN` with the same as protobuf; those are named in an error.
 */

import { showServer } from './address.ts';
import { isZooKeeperError, type ZooKeeperSession } from './client.ts';
import { followLeader, inOrder, type Member } from './members.ts';

/** What the znodes of masters are called, before the number. */
export const MASTER_PREFIX = 'json.info_';
const LEGACY_PREFIX = 'info_';

/** The part of Mesos' MasterInfo that a master publishes; as protobuf's JSON, with its field names. */
export interface MasterInfo {
  readonly id: string;
  /** IPv4 in network byte order as a number; `address.ip` says the same in words. */
  readonly ip: number;
  readonly port: number;
  readonly hostname?: string;
  /** `master@ip:port` */
  readonly pid?: string;
  readonly version?: string;
  readonly address?: { readonly hostname?: string; readonly ip?: string; readonly port: number };
}

export class DetectionError extends Error {
  override name = 'DetectionError';
}

/** `host:port` where a master's API is. The IP address is preferred, as Mesos does: a name need not resolve here. */
export function masterAddress(info: MasterInfo): string {
  const host = info.address?.ip ?? info.pid?.replace(/^.*@/, '').replace(/:\d+$/, '') ?? info.hostname;
  if (host === undefined) throw new DetectionError('the leading master publishes no address');
  const port = info.address?.port ?? info.port;
  return showServer({ host: host.replace(/^\[|\]$/g, ''), port });
}

/** @throws DetectionError where the data is no MasterInfo in JSON */
export function parseMasterInfo({ name, data }: Member): MasterInfo {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && 'port' in value && typeof value.port === 'number') {
    return value as MasterInfo;
  }
  throw new DetectionError(`${name} holds no MasterInfo in JSON: another program uses this path`);
}

export interface FollowMastersOptions {
  session: ZooKeeperSession;
  path: string;
  /** Told first who leads, then each change; undefined where nobody does. */
  onLeader: (leader: MasterInfo | undefined) => void;
  /** Nobody can be found to lead for a reason that people should know; followed by `onLeader(undefined)`. */
  onProblem: (message: string) => void;
}

/** Follows who leads the masters, until the session ends. @returns how to stop */
export function followMasters({ session, path, onLeader, onProblem }: FollowMastersOptions): () => void {
  let last: string | undefined;
  const tell = (leader: MasterInfo | undefined, problem?: string): void => {
    const now = JSON.stringify([leader, problem]);
    if (now === last) return;
    last = now;
    if (problem !== undefined) onProblem(problem);
    onLeader(leader);
  };
  const problem = (error: unknown): void =>
    tell(undefined, `${path}: ${error instanceof Error ? error.message : String(error)}`);
  return followLeader({
    session,
    path,
    prefix: MASTER_PREFIX,
    onError: (error) =>
      problem(
        isZooKeeperError(error, 'NO_AUTH')
          ? new Error('the masters are hidden from this identity: give user:password in the zk:// address')
          : error,
      ),
    onChange: (leader, names) => {
      if (!leader) {
        const [legacy] = inOrder(names, LEGACY_PREFIX);
        if (legacy === undefined) tell(undefined);
        else problem(new Error(`${legacy} was written by a Mesos before 0.24, which is not supported`));
        return;
      }
      try {
        tell(parseMasterInfo(leader));
      } catch (error) {
        problem(error);
      }
    },
  });
}

export interface MasterDetector {
  /** The leader as last heard; undefined while nobody leads or ZooKeeper is away for longer than the session. */
  readonly leader: MasterInfo | undefined;
  /** `host:port` of the leader. @throws DetectionError at once where none is known, saying why */
  detect(): Promise<string>;
  stop(): Promise<void>;
}

export interface MasterDetectorOptions {
  /** Opens a session; asked again each time the last has ended. Rejects only when `signal` aborts or for good. */
  open: (signal: AbortSignal) => Promise<ZooKeeperSession>;
  path: string;
  onLeader?: (leader: MasterInfo | undefined) => void;
  onProblem?: (message: string) => void;
}

/** Detection that outlives its sessions. */
export function createMasterDetector(options: MasterDetectorOptions): MasterDetector {
  const stopping = new AbortController();
  let leader: MasterInfo | undefined;
  let why = 'ZooKeeper was not reached yet';
  let session: ZooKeeperSession | undefined;

  const tell = (now: MasterInfo | undefined): void => {
    leader = now;
    if (!stopping.signal.aborted) options.onLeader?.(now);
  };
  const problem = (message: string): void => {
    why = message;
    if (!stopping.signal.aborted) options.onProblem?.(message);
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      session = await options.open(stopping.signal);
      why = `no master has registered at ${options.path} in ZooKeeper yet`;
      const stop = followMasters({ session, path: options.path, onLeader: tell, onProblem: problem });
      const reason = await session.ended;
      stop();
      why = `the session with ZooKeeper ended: ${reason}`;
      if (leader) tell(undefined);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) problem(error instanceof Error ? error.message : String(error));
  });

  return {
    get leader() {
      return leader;
    },
    detect: async () => {
      if (leader) return masterAddress(leader);
      throw new DetectionError(why);
    },
    stop: async () => {
      stopping.abort();
      await session?.close();
      await running;
    },
  };
}
