/** Starts an agent in this process. Used by the program and by tests. */

import { randomBytes, randomUUID } from 'node:crypto';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { basicAuthorization } from '../mesos/http.ts';
import { systemTimer } from '../mesos/retry.ts';
import type { Attribute, Resource } from '../mesos/types.ts';
import { uuidBase64 } from '../mesos/uuid.ts';
import type { Transport } from '../tls/connect.ts';
import type { LibprocessTls } from '../tls/libprocess.ts';
import { Checkpoint } from './agent/checkpoint.ts';
import { drain } from './agent/drain.ts';
import { startGarbageCollection } from './agent/gc.ts';
import { fixedMaster, linkToMaster, type MasterSource } from './agent/master-link.ts';
import { type Agent, type AgentSettings, agentId, executorOf } from './agent/model.ts';
import { createLauncher } from './agent/processes.ts';
import { cleanUp, killSilentExecutors, removeOrphans, restore, silentExecutors } from './agent/recovery.ts';
import { handleMasterMessage, registerMessage } from './agent/registration.ts';
import { type Authentication, handleRequest } from './agent/server.ts';
import { type PendingUpdate, StatusUpdates, type UpdateRecord } from './agent/updates.ts';
import type { Running } from './start-master.ts';
import type { Credential } from './wire/credentials.ts';
import type { FlagValues } from './wire/flags.ts';
import { listen, reachableAddress } from './wire/listen.ts';

export interface AgentOptions extends Partial<Omit<AgentSettings, 'workDir'>> {
  /** `host:port`, or a source of it. */
  master: string | MasterSource;
  /** Authenticates the agent at the master. */
  credential?: Credential;
  authentication?: Partial<Authentication>;
  /** Of its port, and of its connection to the master. Default: plain text only. */
  tls?: LibprocessTls;
  /** Directory of sandboxes and checkpoints. The agent continues an earlier run in the same directory. */
  workDir: string;
  /** Kill the executors of an earlier run and end, instead of continuing with them. */
  cleanup?: boolean;
  resources: Resource[];
  attributes?: Attribute[];
  /** Default: 127.0.0.1. */
  ip?: string;
  /** Default: 5051; 0 for any free port. */
  port?: number;
  /** Published address. Default: the address that it listens on. */
  advertiseIp?: string;
  advertisePort?: number;
  /** Published host of its tasks. Default: `localhost` for 127.0.0.1, otherwise the address. */
  hostname?: string;
  /** Shown by `/flags` and `/state`. */
  flags?: FlagValues;
  /** Called with each log line. Default: no log. */
  log?: (line: string) => void;
  /** Called when the agent ends by itself: refused by the master, shut down by the master, or after the cleanup. */
  onEnd?: (code: number, message: string) => void;
}

/**
 * Resolves when the agent listens. It registers by itself, after the executors of an earlier run have returned.
 * @throws MesosupError if the configuration is incompatible with the work directory; the error of listen
 */
export async function startAgent(options: AgentOptions): Promise<Running> {
  const ip = options.ip ?? '127.0.0.1';
  const { tls, log = () => {} } = options;
  const listener = await listen({ port: options.port ?? 5051, ip, tls: tls?.server, log });
  const { port, url } = listener;
  const transport =
    tls && (await import('../tls/connect.ts')).createTransport(tls.client, { onProblem: log });
  const masters = typeof options.master === 'string' ? fixedMaster(options.master) : options.master;
  const agent = createAgent(options, ip, port, (code, message) => {
    if (agent.stopped) return;
    void stop();
    options.onEnd?.(code, message);
  });
  const { ports } = agent;
  let unlink = () => {};
  let cancelRecovery = () => {};
  let stopCollecting = () => {};
  const stop = async (): Promise<void> => {
    agent.stopped = true;
    unlink();
    cancelRecovery();
    stopCollecting();
    agent.updates.stop();
    agent.cancelOperations?.();
    ports.launcher.stop();
    for (const framework of agent.frameworks.values()) {
      for (const executor of framework.executors.values()) {
        executor.cancelRegistration?.();
        executor.cancelShutdown?.();
      }
    }
    await Promise.all([masters.stop(), listener.close()]);
  };
  const recovered = () => {
    if (!agent.recovering || agent.stopped) return;
    agent.recovering = false;
    cancelRecovery();
    ports.log('Finished recovery');
    stopCollecting = startGarbageCollection(agent);
    if (agent.drain) drain(agent, agent.drain);
    unlink = link(agent, masters, { credential: options.credential, transport });
  };
  const onProgress = () => {
    if (agent.recovering && silentExecutors(agent).length === 0) recovered();
  };
  const context = {
    agent,
    flags: options.flags ?? new Map(),
    authentication: {
      authenticators: {},
      readonly: false,
      readwrite: false,
      executors: false,
      ...options.authentication,
    },
    onSubscribed: onProgress,
  };
  listener.handle((request, response) => void handleRequest(context, request, response));
  try {
    const saved = ports.checkpoint.load();
    if (saved) restore(agent, saved, options.cleanup ? () => {} : onProgress);
    else removeOrphans(agent);
  } catch (error) {
    await stop();
    throw error;
  }
  if (options.cleanup) {
    cleanUp(agent);
  } else if (silentExecutors(agent).length === 0) {
    recovered();
  } else {
    cancelRecovery = ports.timer(agent.settings.executorReregistrationTimeoutMs, () => {
      killSilentExecutors(agent);
      recovered();
    });
  }
  return { url, address: `${ip}:${port}`, stop };
}

/** Keeps the agent registered with the leader. @returns a function that ends it */
function link(
  agent: Agent,
  masters: MasterSource,
  by: { credential: Credential | undefined; transport: Transport | undefined },
): () => void {
  const { credential, transport } = by;
  const { log, timer, end } = agent.ports;
  const unlink = linkToMaster({
    masters,
    timer,
    now: agent.ports.now,
    transport,
    ...(credential ? { authorization: basicAuthorization(credential) } : {}),
    onConnected(master, send) {
      agent.master = master;
      agent.toMaster = send;
      send(registerMessage(agent));
    },
    onMessage: (message) => handleMasterMessage(agent, message),
    onDisconnected(reason) {
      log(`Master ${agent.master} disconnected: ${reason}`);
      agent.registered = false;
      delete agent.toMaster;
      delete agent.master;
      // An agent that shuts down does not register again.
      if (agent.terminating) unlink();
    },
    onWaiting: (reason) => log(`Waiting for the master: ${reason}`),
    onRefused: (master) => end(1, `Master master@${master} refused authentication`),
  });
  return unlink;
}

function createAgent(options: AgentOptions, listensOn: string, listensAt: number, end: EndAgent): Agent {
  const timer = systemTimer;
  const workDir = resolve(options.workDir);
  const ip = options.advertiseIp ?? reachableAddress(listensOn);
  const port = options.advertisePort ?? listensAt;
  const agent: Agent = {
    info: {
      hostname: options.hostname ?? (ip === '127.0.0.1' ? 'localhost' : ip),
      port,
      resources: options.resources,
      ...(options.attributes?.length ? { attributes: options.attributes } : {}),
    },
    ip,
    port,
    settings: {
      workDir,
      executorRegistrationTimeoutMs: options.executorRegistrationTimeoutMs ?? 60_000,
      executorReregistrationTimeoutMs: options.executorReregistrationTimeoutMs ?? 2000,
      executorShutdownGracePeriodMs: options.executorShutdownGracePeriodMs ?? 5000,
      recoveryTimeoutMs: options.recoveryTimeoutMs ?? 900_000,
      gcDelayMs: options.gcDelayMs ?? 7 * 86_400_000,
      gcDiskHeadroom: options.gcDiskHeadroom ?? 0.1,
      diskWatchIntervalMs: options.diskWatchIntervalMs ?? 60_000,
      executorEnvironment: options.executorEnvironment ?? {},
      commandExecutor: options.commandExecutor ?? commandExecutor(false),
      reconfigurationPolicy: options.reconfigurationPolicy ?? 'equal',
      ...(options.jwtKey ? { jwtKey: options.jwtKey } : {}),
    },
    ports: {
      now: Date.now,
      timer,
      uuid: randomUUID,
      updateUuid: () => uuidBase64(randomBytes(16)),
      launcher: createLauncher(timer),
      checkpoint: new Checkpoint(workDir),
      log: options.log ?? (() => {}),
      end,
    },
    frameworks: new Map(),
    reserved: [],
    operations: new Map(),
    updates: new StatusUpdates({
      timer,
      send: (frameworkId, status) => sendUpdate(agent, frameworkId, status),
      record: (frameworkId, taskId, record) => recordUpdate(agent, frameworkId, taskId, record),
    }),
    recovering: true,
    stopped: false,
    registered: false,
    terminating: false,
    startTime: Date.now(),
  };
  return agent;
}

type EndAgent = Agent['ports']['end'];

/** Returns the argv of the program that runs command tasks: a source file or a bundle in this directory. */
export function commandExecutor(usesKillPolicy: boolean): string[] {
  const here = fileURLToPath(import.meta.url);
  const name = extname(here) === '.ts' ? 'command-executor-main.ts' : 'command-executor.js';
  return [process.execPath, join(dirname(here), name), ...(usesKillPolicy ? ['--http'] : [])];
}

function sendUpdate(agent: Agent, frameworkId: string, status: PendingUpdate): void {
  const taskId = status.task_id.value;
  const framework = agent.frameworks.get(frameworkId);
  const executor = framework && executorOf(framework, taskId);
  const task = executor?.launched.get(taskId) ?? executor?.terminated.get(taskId);
  agent.toMaster?.({
    type: 'UPDATE',
    framework_id: frameworkId,
    status,
    latest_state: task?.state ?? status.state,
  });
}

function recordUpdate(agent: Agent, frameworkId: string, taskId: string, record: UpdateRecord): void {
  const framework = agent.frameworks.get(frameworkId);
  const executor = framework && executorOf(framework, taskId);
  if (executor?.checkpoint) agent.ports.checkpoint.addUpdate(agentId(agent), executor, taskId, record);
}
