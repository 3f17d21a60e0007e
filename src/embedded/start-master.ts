/** A master, listening; used by the program and by tests that want one in their own process. */

import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemTimer } from '../mesos/retry.ts';
import { Metrics } from './master/metrics.ts';
import type { Master, MasterSettings } from './master/model.ts';
import { runAllocation } from './master/offers.ts';
import { type Authentication, handleRequest } from './master/server.ts';
import type { FlagValues } from './wire/flags.ts';
import { MESOS_VERSION } from './wire/version.ts';

export interface MasterOptions extends Partial<MasterSettings> {
  /** 127.0.0.1 by default. */
  ip?: string;
  /** 5050 by default; 0 takes any free port. */
  port?: number;
  /** How others are told to reach it; by default `localhost` on 127.0.0.1, otherwise the address. */
  hostname?: string;
  authentication?: Partial<Authentication>;
  /** Shown by `/flags` and `/state`. */
  flags?: FlagValues;
  /** Takes one line for each notable thing; silent by default. */
  log?: (line: string) => void;
}

export interface Running {
  /** `http://ip:port` */
  url: string;
  /** `ip:port` */
  address: string;
  /** Ends at once: open streams break as in a crash. Resolves when the port is free. */
  stop(): Promise<void>;
}

/** @throws the error of listen, EADDRINUSE and the like */
export async function startMaster(options: MasterOptions = {}): Promise<Running> {
  const ip = options.ip ?? '127.0.0.1';
  const hostname = options.hostname ?? (ip === '127.0.0.1' ? 'localhost' : ip);
  const server = createServer();
  const port = await listen(server, options.port ?? 5050, ip);
  const id = randomUUID();
  const master: Master = {
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
    },
    ports: { now: Date.now, timer: systemTimer, log: options.log ?? (() => {}) },
    metrics: new Metrics(),
    startTime: Date.now(),
    frameworks: new Map(),
    completedFrameworks: new Map(),
    agents: new Map(),
    unreachableAgents: new Map(),
    offers: new Map(),
    next: { framework: 0, agent: 0, offer: 0 },
    allocationPending: false,
  };
  const context = {
    master,
    flags: options.flags ?? new Map(),
    authentication: {
      frameworks: false,
      readonly: false,
      readwrite: false,
      credentials: new Map(),
      ...options.authentication,
    },
  };
  server.on('request', (request, response) => void handleRequest(context, request, response));
  const interval = setInterval(() => runAllocation(master), master.settings.allocationIntervalMs);
  return {
    url: `http://${ip}:${port}`,
    address: `${ip}:${port}`,
    stop: () => {
      clearInterval(interval);
      for (const agent of master.agents.values()) agent.cancelPing?.();
      for (const framework of master.frameworks.values()) {
        delete framework.stream;
        framework.cancelFailover?.();
      }
      return close(server);
    },
  };
}

/** Listens with limits that long streams need. @returns the port */
export async function listen(server: Server, port: number, ip: string): Promise<number> {
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ip, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** An IPv4 address as MasterInfo has it. */
function littleEndian(ip: string): number {
  return ip.split('.').reduceRight((sum, part) => sum * 256 + Number(part), 0);
}
