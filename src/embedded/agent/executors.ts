/** Starts and ends executors. */

import { join } from 'node:path';
import type { CommandInfo, ContainerInfo, ExecutorInfo, TaskInfo } from '../../mesos/types.ts';
import { formatDuration } from '../wire/duration.ts';
import { signToken } from '../wire/jwt.ts';
import { executorEnvironment } from './environment.ts';
import { fetchUris } from './fetcher.ts';
import { markEnded } from './gc.ts';
import { type Agent, type AgentFramework, agentId, type Executor, type Termination } from './model.ts';
import { sandboxPath } from './paths.ts';
import { appendLine, type Launch } from './processes.ts';
import { createSandbox } from './sandbox.ts';
import { removeFrameworkIfIdle, reportAgentStatus, reportExited } from './status.ts';
import type { UserIds } from './users.ts';
import { linkVolumes } from './volumes.ts';

/** Upper limit for an executor's wait between attempts to subscribe again. */
const SUBSCRIPTION_BACKOFF_MAX_MS = 2000;

/**
 * Starts an executor. Its tasks wait in `queued` until it subscribes.
 * @throws Error if its sandbox can't be created, for example for an unknown user of the framework
 */
export function launchExecutor(
  agent: Agent,
  framework: AgentFramework,
  info: ExecutorInfo,
  task: TaskInfo,
): Executor {
  const user = info.command?.user ?? framework.info.user;
  const containerId = agent.ports.uuid();
  const names = { agentId: agentId(agent), frameworkId: framework.id, executorId: info.executor_id.value };
  const directory = sandboxPath(agent.settings.workDir, names, containerId);
  const ids = createSandbox(directory, user);
  linkVolumes(agent, [...task.resources, ...(info.resources ?? [])], directory, ids);
  const executor: Executor = {
    frameworkId: framework.id,
    id: info.executor_id.value,
    info,
    forCommand: task.executor === undefined,
    containerId,
    directory,
    checkpoint: framework.info.checkpoint ?? false,
    state: 'REGISTERING',
    queued: new Map(),
    launched: new Map(),
    terminated: new Map(),
    everSentTask: false,
    ...(ids && { user: ids }),
  };
  framework.executors.set(executor.id, executor);
  if (executor.checkpoint) agent.ports.checkpoint.saveExecutor(agentId(agent), executor);
  agent.ports.log(`Launching executor '${executor.id}' of framework ${framework.id} in '${directory}'`);
  const { executorRegistrationTimeoutMs } = agent.settings;
  executor.cancelRegistration = agent.ports.timer(executorRegistrationTimeoutMs, () =>
    endExecutor(agent, executor, {
      state: 'TASK_FAILED',
      reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
      message: `Executor did not register within ${formatDuration(executorRegistrationTimeoutMs)}`,
    }),
  );
  start(agent, framework, executor, user, ids, containerOf(task)).catch((error: Error) => {
    executor.termination ??= {
      state: 'TASK_FAILED',
      reason: 'REASON_CONTAINER_LAUNCH_FAILED',
      message: `Failed to launch container: ${error.message}`,
    };
    handleExecutorExit(agent, framework, executor, -1);
  });
  return executor;
}

async function start(
  agent: Agent,
  framework: AgentFramework,
  executor: Executor,
  user: string,
  ids: UserIds | undefined,
  container: ContainerInfo | undefined,
): Promise<void> {
  const { settings, ip, port } = agent;
  const lacking = container && findLacking(container);
  if (lacking !== undefined) throw new Error(`The embedded agent has no ${lacking}. Use a Mesos agent`);
  const { command } = executor.info;
  const environment = executorEnvironment({
    agentId: agentId(agent),
    frameworkId: framework.id,
    executorId: executor.id,
    ip,
    port,
    directory: executor.directory,
    checkpoint: executor.checkpoint,
    shutdownGraceMs: shutdownGraceMs(agent, executor),
    recoveryTimeoutMs: settings.recoveryTimeoutMs,
    subscriptionBackoffMaxMs: SUBSCRIPTION_BACKOFF_MAX_MS,
    flagVariables: settings.executorEnvironment,
    command,
    ...(settings.jwtKey ? { token: tokenOf(executor, settings.jwtKey) } : {}),
  });
  const what: Launch = {
    ...(executor.forCommand ? commandExecutor(settings.commandExecutor, user) : programOf(command)),
    directory: executor.directory,
    environment,
    // The executor of command tasks switches to the user only when it starts the command.
    ...(ids && !executor.forCommand ? { user: ids } : {}),
    stdout: join(executor.directory, 'stdout'),
    stderr: join(executor.directory, 'stderr'),
  };
  await fetchFor(agent, executor, user, ids);
  const process = await agent.ports.launcher.launch(what, (status) =>
    handleExecutorExit(agent, framework, executor, status),
  );
  executor.process = process;
  if (executor.checkpoint) agent.ports.checkpoint.saveProcess(agentId(agent), executor, process);
  if (executor.termination) agent.ports.launcher.destroy(process);
}

function containerOf({ container, executor }: TaskInfo): ContainerInfo | undefined {
  return executor ? executor.container : container;
}

/** The embedded agent starts processes. @returns what it lacks for a container */
function findLacking({ type, mesos, volumes, network_infos }: ContainerInfo): string | undefined {
  if (type === 'DOCKER') return 'Docker containerizer';
  if (mesos?.image) return 'support for images';
  if (network_infos?.length) return 'container networks';
  return volumes?.length ? 'support for volumes' : undefined;
}

/** Fetches the URIs of an executor. The end of the executor ends the fetch. */
async function fetchFor(
  agent: Agent,
  executor: Executor,
  user: string,
  ids: UserIds | undefined,
): Promise<void> {
  const uris = executor.info.command?.uris ?? [];
  if (uris.length === 0) return;
  const controller = new AbortController();
  executor.cancelFetch = () => controller.abort();
  try {
    await fetchUris({
      uris,
      containerId: executor.containerId,
      sandbox: executor.directory,
      user: ids,
      cache: join(agent.settings.workDir, 'fetch', user),
      signal: controller.signal,
      log: (line) => appendLine(join(executor.directory, 'stderr'), line),
    });
    controller.signal.throwIfAborted();
  } finally {
    delete executor.cancelFetch;
  }
}

/** Signs Mesos' documented claims: framework, executor and container. */
function tokenOf({ frameworkId, id, containerId }: Executor, key: Uint8Array): string {
  return signToken({ cid: containerId, eid: id, fid: frameworkId }, key);
}

function commandExecutor(program: readonly string[], user: string): Pick<Launch, 'program' | 'arguments'> {
  const [first = '', ...rest] = program;
  return { program: first, arguments: [...rest, `--user=${user}`] };
}

/** Returns program and arguments. If `shell` (default: true) is false, `arguments` is the complete argv. */
function programOf(command: CommandInfo | undefined): Pick<Launch, 'program' | 'arguments' | 'argv0'> {
  const value = command?.value ?? '';
  if (command?.shell ?? true) return { program: '/bin/sh', arguments: ['-c', value], argv0: 'sh' };
  const [argv0 = value, ...rest] = command?.arguments ?? [];
  return { program: value, arguments: rest, argv0 };
}

function shutdownGraceMs(agent: Agent, executor: Executor): number {
  const nanoseconds = executor.info.shutdown_grace_period?.nanoseconds;
  return nanoseconds === undefined ? agent.settings.executorShutdownGracePeriodMs : nanoseconds / 1_000_000;
}

/** Asks an executor to end, and kills it after the grace period. */
export function shutdownExecutor(agent: Agent, executor: Executor): void {
  if (executor.state === 'TERMINATING' || executor.state === 'TERMINATED') return;
  agent.ports.log(`Shutting down executor '${executor.id}' of framework ${executor.frameworkId}`);
  executor.state = 'TERMINATING';
  executor.stream?.send({ type: 'SHUTDOWN' });
  executor.cancelShutdown = agent.ports.timer(shutdownGraceMs(agent, executor), () => {
    agent.ports.log(`Killing executor '${executor.id}' of framework ${executor.frameworkId}`);
    destroy(agent, executor);
  });
}

/** Kills an executor. @param termination the reason */
export function endExecutor(agent: Agent, executor: Executor, termination: Termination): void {
  if (executor.state === 'TERMINATED') return;
  agent.ports.log(
    `Killing executor '${executor.id}' of framework ${executor.frameworkId}: ${termination.message}`,
  );
  executor.state = 'TERMINATING';
  executor.termination = termination;
  destroy(agent, executor);
}

/** Kills the process. A process that is still being started is killed right after its start. */
function destroy(agent: Agent, executor: Executor): void {
  executor.cancelFetch?.();
  if (executor.process) agent.ports.launcher.destroy(executor.process);
}

/**
 * Handles the end of an executor's process: kills its session, fails its remaining tasks and informs its framework.
 * @param status as in wait(2), -1 if unknown
 */
export function handleExecutorExit(
  agent: Agent,
  framework: AgentFramework,
  executor: Executor,
  status: number,
): void {
  if (agent.stopped || executor.state === 'TERMINATED') return;
  agent.ports.log(`Executor '${executor.id}' of framework ${framework.id} exited: ${status}`);
  executor.state = 'TERMINATED';
  executor.cancelRegistration?.();
  executor.cancelShutdown?.();
  destroy(agent, executor);
  executor.stream?.close();
  const end = executor.termination ?? {
    state: 'TASK_FAILED',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: 'Executor terminated',
  };
  for (const taskId of [...executor.launched.keys(), ...executor.queued.keys()]) {
    reportAgentStatus(agent, framework, taskId, end.state, end.reason, end.message, executor.id);
  }
  if (!executor.forCommand) reportExited(agent, framework.id, executor.id, status);
  removeIfDone(agent, framework, executor);
  removeFrameworkIfIdle(agent, framework);
}

/** Deletes an ended executor once the last updates of all its tasks are acknowledged. */
export function removeIfDone(agent: Agent, framework: AgentFramework, executor: Executor): void {
  if (executor.state !== 'TERMINATED') return;
  if (executor.terminated.size > 0 && !framework.terminating) return;
  framework.executors.delete(executor.id);
  markEnded(agent, executor.directory);
  if (executor.checkpoint) agent.ports.checkpoint.removeExecutor(agentId(agent), executor);
}

/** Shuts down the executors of a removed framework and drops its updates, which no scheduler will acknowledge. */
export function shutdownFramework(agent: Agent, framework: AgentFramework): void {
  agent.ports.log(`Shutting down framework ${framework.id}`);
  framework.terminating = true;
  agent.updates.dropFramework(framework.id);
  for (const executor of [...framework.executors.values()]) {
    if (executor.state === 'TERMINATED') removeIfDone(agent, framework, executor);
    else shutdownExecutor(agent, executor);
  }
  removeFrameworkIfIdle(agent, framework);
}
