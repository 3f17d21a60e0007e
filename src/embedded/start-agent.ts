/** An agent, listening; used by the program and by tests that want one in their own process. */

import { randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemTimer } from '../mesos/retry.ts';
import type { Attribute, Resource } from '../mesos/types.ts';
import { uuidBase64 } from '../mesos/uuid.ts';
import { Checkpoint } from './agent/checkpoint.ts';
import { linkToMaster } from './agent/master-link.ts';
import { type Agent, type AgentSettings, agentId, executorOf } from './agent/model.ts';
import { createLauncher } from './agent/processes.ts';
import { awaited, giveUpSilent, restore } from './agent/recovery.ts';
import { masterMessage, registerMessage } from './agent/registration.ts';
import { handleRequest } from './agent/server.ts';
import { type PendingUpdate, StatusUpdates, type UpdateRecord } from './agent/updates.ts';
import { close, listen, type Running } from './start-master.ts';
import type { FlagValues } from './wire/flags.ts';

export interface AgentOptions extends Partial<Omit<AgentSettings, 'workDir'>> {
  /** `host:port` */
  master: string;
  /** Holds sandboxes and checkpoints; the agent goes on where one before it in the same directory ended. */
  workDir: string;
  resources: Resource[];
  attributes?: Attribute[];
  /** 127.0.0.1 by default. */
  ip?: string;
  /** 5051 by default; 0 takes any free port. */
  port?: number;
  /** Where its tasks are reached; by default `localhost` on 127.0.0.1, otherwise the address. */
  hostname?: string;
  /** Shown by `/flags` and `/state`. */
  flags?: FlagValues;
  /** Takes one line for each notable thing; silent by default. */
  log?: (line: string) => void;
}

/**
 * Resolves once it listens. It registers by itself, after the executors of an earlier run are back.
 * @throws IncompatibleAgentError where the work directory is another agent's; the error of listen
 */
export async function startAgent(options: AgentOptions): Promise<Running> {
  const ip = options.ip ?? '127.0.0.1';
  const hostname = options.hostname ?? (ip === '127.0.0.1' ? 'localhost' : ip);
  const server = createServer();
  const port = await listen(server, options.port ?? 5051, ip);
  const agent = createAgent(options, ip, port, hostname);
  const { ports } = agent;
  let unlink = () => {};
  let cancelRecovery = () => {};
  const stop = () => {
    agent.stopped = true;
    unlink();
    cancelRecovery();
    agent.updates.stop();
    ports.launcher.stop();
    for (const framework of agent.frameworks.values()) {
      for (const executor of framework.executors.values()) {
        executor.cancelRegistration?.();
        executor.cancelShutdown?.();
      }
    }
    return close(server);
  };
  const recovered = () => {
    if (!agent.recovering || agent.stopped) return;
    agent.recovering = false;
    cancelRecovery();
    ports.log('Finished recovery');
    unlink = linkToMaster({
      master: options.master,
      timer: ports.timer,
      onConnected(send) {
        agent.toMaster = send;
        send(registerMessage(agent));
      },
      onMessage: (message) => masterMessage(agent, message),
      onDisconnected(reason) {
        delete agent.toMaster;
        ports.log(`Master ${options.master} disconnected: ${reason}`);
      },
      onWaiting: (reason) => ports.log(`Waiting for master ${options.master}: ${reason}`),
    });
  };
  const onProgress = () => {
    if (agent.recovering && awaited(agent).length === 0) recovered();
  };
  const context = {
    agent,
    flags: options.flags ?? new Map(),
    master: options.master,
    onSubscribed: onProgress,
  };
  server.on('request', (request, response) => void handleRequest(context, request, response));
  try {
    const saved = ports.checkpoint.load();
    if (saved) restore(agent, saved, onProgress);
  } catch (error) {
    await stop();
    throw error;
  }
  if (awaited(agent).length === 0) {
    recovered();
  } else {
    cancelRecovery = ports.timer(agent.settings.executorReregistrationTimeoutMs, () => {
      giveUpSilent(agent);
      recovered();
    });
  }
  return { url: `http://${ip}:${port}`, address: `${ip}:${port}`, stop };
}

function createAgent(options: AgentOptions, ip: string, port: number, hostname: string): Agent {
  const timer = systemTimer;
  const workDir = resolve(options.workDir);
  const agent: Agent = {
    info: {
      hostname,
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
      executorEnvironment: options.executorEnvironment ?? {},
      commandExecutor: options.commandExecutor ?? [process.execPath, commandExecutorProgram()],
    },
    ports: {
      now: Date.now,
      timer,
      uuid: randomUUID,
      updateUuid: () => uuidBase64(randomBytes(16)),
      launcher: createLauncher(timer),
      checkpoint: new Checkpoint(workDir),
      log: options.log ?? (() => {}),
    },
    frameworks: new Map(),
    updates: new StatusUpdates({
      timer,
      send: (frameworkId, status) => sendUpdate(agent, frameworkId, status),
      record: (frameworkId, taskId, record) => recordUpdate(agent, frameworkId, taskId, record),
    }),
    recovering: true,
    stopped: false,
    startTime: Date.now(),
  };
  return agent;
}

/** Beside this file: as source, or as the bundle of its name. */
function commandExecutorProgram(): string {
  const here = fileURLToPath(import.meta.url);
  const name = extname(here) === '.ts' ? 'command-executor-main.ts' : 'command-executor.js';
  return join(dirname(here), name);
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
