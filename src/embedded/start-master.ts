/** Starts a master in this process. Used by the program and by tests. */

import { randomUUID } from 'node:crypto';
import { messageOf } from '../mesos/http.ts';
import { systemTimer } from '../mesos/retry.ts';
import type { ServerTls } from '../tls/settings.ts';
import { childPath, type ZooKeeperAddress } from '../zookeeper/address.ts';
import { type Election, joinElection, waitForMasters } from './master/candidacy.ts';
import { checkDrained } from './master/drain.ts';
import { Metrics } from './master/metrics.ts';
import type { Master, MasterSettings } from './master/model.ts';
import { runAllocation } from './master/offers.ts';
import { Registrar, type RegistryStore, recoverRegistry, registryOf } from './master/registry.ts';
import { fileStore, memoryStore, registryDirectory, znodeStore } from './master/registry-store.ts';
import { giveUpRecovered } from './master/removal.ts';
import { type Authentication, handleRequest } from './master/server.ts';
import type { FlagValues } from './wire/flags.ts';
import { listen, reachableAddress } from './wire/listen.ts';
import { MESOS_VERSION } from './wire/version.ts';

export interface MasterOptions extends Partial<MasterSettings> {
  /** Default: 127.0.0.1. */
  ip?: string;
  /** Default: 5050; 0 for any free port. */
  port?: number;
  /** Published address. Default: the address that it listens on. */
  advertiseIp?: string;
  advertisePort?: number;
  /** Published host name. Default: `localhost` for 127.0.0.1, otherwise the address. */
  hostname?: string;
  authentication?: Partial<Authentication>;
  /** Default: plain text only. */
  tls?: ServerTls;
  /** Takes part in an election there. Without it, the master leads from the start. */
  zookeeper?: { address: ZooKeeperAddress; sessionTimeoutMs: number; quorum: number };
  /** Enables the registry, which is in ZooKeeper if `zookeeper` is set. Without it, the registry is only in memory. */
  workDir?: string;
  /** Called when it no longer leads or can't write its registry. The caller must end it. */
  onLost?: (reason: string) => void;
  /** Shown by `/flags` and `/state`. */
  flags?: FlagValues;
  /** Called with each log line. Default: no log. */
  log?: (line: string) => void;
}

export interface Running {
  /** `http://ip:port`; `https:` if it takes only TLS. */
  url: string;
  /** `ip:port` */
  address: string;
  /** Ends immediately: open streams break as in a crash. Resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * Resolves when the master listens and, without an election, leads.
 * @throws the error of listen, for example EADDRINUSE; an error of the registry's file
 */
export async function startMaster(options: MasterOptions = {}): Promise<Running> {
  const ip = options.ip ?? '127.0.0.1';
  const { zookeeper, workDir, tls, log = () => {} } = options;
  const listener = await listen({ port: options.port ?? 5050, ip, tls, log });
  const { port, url } = listener;
  const directory = workDir === undefined ? undefined : registryDirectory(workDir);
  let stopped = false;
  let cancelGivingUp = () => {};
  let registrar: Registrar | undefined;
  const lost = (reason: string) => {
    if (!stopped) options.onLost?.(reason);
  };
  const saveRegistry = async (): Promise<void> => {
    try {
      await registrar?.save();
    } catch (error) {
      lost(`Failed to write the registry: ${messageOf(error)}`);
      // Never resolves, since the registry is not stored.
      await new Promise(() => {});
    }
  };
  const registryKept = directory !== undefined;
  const master = createMaster(options, ip, port, { log, saveRegistry, registryKept });
  const lead = async (store: RegistryStore, mayBegin?: () => Promise<void>): Promise<void> => {
    master.leader = master.info;
    master.electedTime = Date.now();
    master.recovering = true;
    log('Elected as the leading master!');
    const registry = await store.load();
    if (registry) recoverRegistry(master, registry);
    else await mayBegin?.();
    registrar = new Registrar(store, () => registryOf(master), registry);
    if (mayBegin) await registrar.save();
    master.recovering = false;
    const { agentReregisterTimeoutMs } = master.settings;
    cancelGivingUp = master.ports.timer(agentReregisterTimeoutMs, () => giveUpRecovered(master));
  };
  const context = {
    master,
    flags: options.flags ?? new Map(),
    authentication: {
      agents: false,
      frameworks: false,
      readonly: false,
      readwrite: false,
      credentials: new Map(),
      ...options.authentication,
    },
  };
  listener.handle((request, response) => void handleRequest(context, request, response));
  let election: Election | undefined;
  if (zookeeper) {
    const { address, sessionTimeoutMs, quorum } = zookeeper;
    election = joinElection({
      address,
      sessionTimeoutMs,
      info: master.info,
      log,
      onElected(session) {
        const path = childPath(address.path, 'registry');
        const store = registryKept ? znodeStore(session, path) : memoryStore;
        const all = () => waitForMasters(session, address.path, 2 * quorum - 1, () => stopped);
        lead(store, registryKept ? all : undefined).catch((error: unknown) =>
          lost(`Recovery failed: ${messageOf(error)}`),
        );
      },
      onFollow(leader) {
        log(leader ? `The newly elected leader is ${leader.pid} with id ${leader.id}` : 'No master leads');
        if (leader) master.leader = leader;
        else delete master.leader;
      },
      onLost: lost,
    });
  } else {
    await lead(directory === undefined ? memoryStore : fileStore(directory));
  }
  const interval = setInterval(() => {
    for (const agent of master.agents.values()) checkDrained(master, agent);
    runAllocation(master);
  }, master.settings.allocationIntervalMs);
  return {
    url,
    address: `${ip}:${port}`,
    stop: async () => {
      stopped = true;
      clearInterval(interval);
      cancelGivingUp();
      for (const agent of master.agents.values()) agent.cancelPing?.();
      for (const framework of master.frameworks.values()) {
        delete framework.stream;
        framework.cancelFailover?.();
      }
      await Promise.all([election?.stop(), listener.close()]);
    },
  };
}

function createMaster(
  options: MasterOptions,
  listensOn: string,
  listensAt: number,
  overrides: Pick<Master['ports'], 'log' | 'saveRegistry'> & Pick<Master, 'registryKept'>,
): Master {
  const id = randomUUID();
  const ip = options.advertiseIp ?? reachableAddress(listensOn);
  const port = options.advertisePort ?? listensAt;
  const hostname = options.hostname ?? (ip === '127.0.0.1' ? 'localhost' : ip);
  const { log, saveRegistry, registryKept } = overrides;
  return {
    id,
    info: {
      id,
      ip: littleEndian(ip),
      port,
      pid: `master@${ip}:${port}`,
      hostname,
      version: MESOS_VERSION,
      address: { hostname, ip, port },
      capabilities: ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'].map((type) => ({ type })),
    },
    settings: {
      allocationIntervalMs: options.allocationIntervalMs ?? 1000,
      agentPingTimeoutMs: options.agentPingTimeoutMs ?? 15_000,
      maxAgentPingTimeouts: options.maxAgentPingTimeouts ?? 5,
      agentReregisterTimeoutMs: options.agentReregisterTimeoutMs ?? 600_000,
      ...(options.offerTimeoutMs === undefined ? {} : { offerTimeoutMs: options.offerTimeoutMs }),
    },
    ports: { now: Date.now, timer: systemTimer, log, saveRegistry },
    metrics: new Metrics(),
    startTime: Date.now(),
    recovering: false,
    registryKept,
    frameworks: new Map(),
    completedFrameworks: new Map(),
    agents: new Map(),
    unreachableAgents: new Map(),
    recoveredAgents: new Map(),
    deactivated: new Set(),
    draining: new Map(),
    gone: new Map(),
    offers: new Map(),
    next: { framework: 0, agent: 0, offer: 0, operation: 0 },
    allocationPending: false,
  };
}

/** Converts an IPv4 address to MasterInfo's number. */
function littleEndian(ip: string): number {
  return ip.split('.').reduceRight((sum, part) => sum * 256 + Number(part), 0);
}
