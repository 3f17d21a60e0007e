/**
 * Finds the leading Mesos master in ZooKeeper. Since Mesos 0.24 each candidate has an ephemeral znode
 * `json.info_NNNNNNNNNN` under the path, with its MasterInfo as JSON; the lowest number leads. Older masters wrote
 * `info_NNNNNNNNNN` with protobuf instead of JSON; an error names these znodes.
 */

import { childPath, showServer } from './address.ts';
import { isZooKeeperError, untilAnswered, type ZooKeeperSession } from './client.ts';
import { followLeader, type Member, sortMembers } from './members.ts';

/** The name of masters' znodes, without the number. */
export const MASTER_PREFIX = 'json.info_';
const LEGACY_PREFIX = 'info_';

/** The part of Mesos' MasterInfo that a master publishes, with the field names of protobuf's JSON. */
export interface MasterInfo {
  readonly id: string;
  /** IPv4 address as a number in network byte order; `address.ip` has it as text. */
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

/** Returns `host:port` of a master's API. As in Mesos, the IP address is preferred: this host may not resolve the name. */
export function masterAddress(info: MasterInfo): string {
  const host = info.address?.ip ?? info.pid?.replace(/^.*@/, '').replace(/:\d+$/, '') ?? info.hostname;
  if (host === undefined) throw new DetectionError('the leading master publishes no address');
  const port = info.address?.port ?? info.port;
  return showServer({ host: host.replace(/^\[|\]$/g, ''), port });
}

/** @throws DetectionError if the data is not MasterInfo as JSON */
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
  throw new DetectionError(`${name} does not contain MasterInfo as JSON: another program uses this path`);
}

export interface FollowMastersOptions {
  session: ZooKeeperSession;
  path: string;
  /** Called with the current leader, then at each change; undefined if there is none. */
  onLeader: (leader: MasterInfo | undefined) => void;
  /** Called if no leader can be found for a reason that users should know; `onLeader(undefined)` follows. */
  onProblem: (message: string) => void;
}

/** Follows the leading master until the session ends. @returns a function that stops following */
export function followMasters({ session, path, onLeader, onProblem }: FollowMastersOptions): () => void {
  let last: string | undefined;
  const notify = (leader: MasterInfo | undefined, problem?: string): void => {
    const now = JSON.stringify([leader, problem]);
    if (now === last) return;
    last = now;
    if (problem !== undefined) onProblem(problem);
    onLeader(leader);
  };
  const reportProblem = (error: unknown): void =>
    notify(undefined, `${path}: ${error instanceof Error ? error.message : String(error)}`);
  return followLeader({
    session,
    path,
    prefix: MASTER_PREFIX,
    onError: (error) =>
      reportProblem(
        isZooKeeperError(error, 'NO_AUTH')
          ? new Error('this identity may not read the masters: add user:password to the zk:// address')
          : error,
      ),
    onChange: (leader, names) => {
      if (!leader) {
        const [legacy] = sortMembers(names, LEGACY_PREFIX);
        if (legacy === undefined) notify(undefined);
        else reportProblem(new Error(`${legacy} was written by a Mesos before 0.24, which is not supported`));
        return;
      }
      try {
        notify(parseMasterInfo(leader));
      } catch (error) {
        reportProblem(error);
      }
    },
  });
}

export interface MasterDetector {
  /** The last known leader; undefined while there is none, or after ZooKeeper was unreachable beyond the session. */
  readonly leader: MasterInfo | undefined;
  /** Returns `host:port` of the leader. @throws DetectionError immediately, with the reason, if none is known */
  detect(): Promise<string>;
  /** Returns `host:port` of each master, the leading one first. @throws DetectionError while ZooKeeper is not reached */
  all(): Promise<string[]>;
  stop(): Promise<void>;
}

export interface MasterDetectorOptions {
  /** Opens a session; called again after each session's end. Rejects only if `signal` aborts or a retry can't help. */
  open: (signal: AbortSignal) => Promise<ZooKeeperSession>;
  path: string;
  onLeader?: (leader: MasterInfo | undefined) => void;
  onProblem?: (message: string) => void;
}

/** Reads `host:port` of each master, the leading one first. */
async function readMasters(session: ZooKeeperSession, path: string): Promise<string[]> {
  const names = (await untilAnswered(() => session.children(path))) ?? [];
  const addresses = sortMembers(names, MASTER_PREFIX).map(async (name) => {
    const znode = await untilAnswered(() => session.get(childPath(path, name)));
    return znode ? [masterAddress(parseMasterInfo({ name, data: znode.data }))] : [];
  });
  return (await Promise.all(addresses)).flat();
}

/** Creates a detector that opens a new session when the old one has ended. */
export function createMasterDetector(options: MasterDetectorOptions): MasterDetector {
  const stopping = new AbortController();
  let leader: MasterInfo | undefined;
  let why = 'ZooKeeper was not reached yet';
  let session: ZooKeeperSession | undefined;

  const setLeader = (now: MasterInfo | undefined): void => {
    leader = now;
    if (!stopping.signal.aborted) options.onLeader?.(now);
  };
  const reportProblem = (message: string): void => {
    why = message;
    if (!stopping.signal.aborted) options.onProblem?.(message);
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      session = await options.open(stopping.signal);
      why = `no master has registered at ${options.path} in ZooKeeper yet`;
      const stop = followMasters({
        session,
        path: options.path,
        onLeader: setLeader,
        onProblem: reportProblem,
      });
      const reason = await session.ended;
      stop();
      why = `the session with ZooKeeper ended: ${reason}`;
      if (leader) setLeader(undefined);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted) reportProblem(error instanceof Error ? error.message : String(error));
  });

  return {
    get leader() {
      return leader;
    },
    detect: async () => {
      if (leader) return masterAddress(leader);
      throw new DetectionError(why);
    },
    all: async () => {
      if (!session) throw new DetectionError(why);
      return readMasters(session, options.path);
    },
    stop: async () => {
      stopping.abort();
      await session?.close();
      await running;
    },
  };
}
