/**
 * The program that runs one command task, like `mesos-executor` for a real agent. It is a separate process, so that the
 * command survives a restart of the agent. `--user=NAME` is the user of the command. With `--http` it follows the kill
 * policy of a KILL; without, only the task's own kill policy, since the default driver of `mesos-executor` drops the
 * other.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { commandArgv } from '../health/command.ts';
import { createExecutorSession, readExecutorEnvironment } from '../mesos/executor-session.ts';
import { MesosCallError, messageOf } from '../mesos/http.ts';
import type {
  CommandInfo,
  ExecutorEvent,
  FrameworkInfo,
  HealthCheck,
  KillPolicy,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../mesos/types.ts';
import { uuidBase64 } from '../mesos/uuid.ts';
import { libprocessTls } from '../tls/libprocess.ts';
import { findUser } from './agent/users.ts';
import { type CommandHealth, watchHealth } from './command-health.ts';
import { describeExit } from './wire/exit-text.ts';

/** From SIGTERM to SIGKILL, if neither the kill nor the task has a grace period. */
const DEFAULT_KILL_GRACE_MS = 3000;
/** Part of the shutdown grace period that is reserved for the last update. */
const SHUTDOWN_SLACK_MS = 1000;
/** Wait before a refused update is sent again, and time limit for the last acknowledgement. */
const RETRY_MS = 250;
const LAST_ACKNOWLEDGEMENT_MS = 60_000;

const environment = readExecutorEnvironment(process.env);
// The command must not be able to act as its executor.
delete process.env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
const usesKillPolicy = process.argv.includes('--http');
const user = process.argv.find((a) => a.startsWith('--user='))?.slice('--user='.length);

/** Updates the agent has not acknowledged, by uuid, in order. */
const unacknowledged = new Map<string, TaskStatus>();
let framework: FrameworkInfo | undefined;
let task: TaskInfo | undefined;
/** True until the agent has acknowledged any update of the task. */
let taskUnacknowledged = false;
let child: ChildProcess | undefined;
let health: CommandHealth | undefined;
let killed = false;
/** True if it was killed because its health checks failed. */
let unhealthy = false;
let ended = false;
/** Time of SIGKILL in milliseconds since the epoch; a later KILL can only make it earlier. */
let killAt = Number.POSITIVE_INFINITY;
let killTimer: NodeJS.Timeout | undefined;

const tls = libprocessTls(process.env);
const session = createExecutorSession({
  environment,
  // As for Mesos' own executors, by `--executor_environment_variables` of the agent.
  transport: tls && (await import('../tls/connect.ts')).createTransport(tls.client),
  unacknowledged: () => ({
    tasks: task && taskUnacknowledged ? [task] : [],
    updates: [...unacknowledged.values()].map((status) => ({ status })),
  }),
  onEvent,
  onDisconnected: () => {},
  onGaveUp(reason) {
    process.stderr.write(`Disconnected from the agent permanently: ${reason}\n`);
    signal('SIGKILL');
    process.exit(1);
  },
});

function onEvent(event: ExecutorEvent): void {
  switch (event.type) {
    case 'SUBSCRIBED':
      framework = event.subscribed.framework_info;
      break;
    case 'LAUNCH':
      launch(event.launch.task);
      break;
    case 'ACKNOWLEDGED':
      acknowledged(event.acknowledged.uuid);
      break;
    case 'KILL':
      kill(graceMs(usesKillPolicy ? event.kill.kill_policy : undefined));
      break;
    case 'SHUTDOWN':
      if (!child) process.exit(0);
      kill(Math.max(0, environment.shutdownGraceMs - SHUTDOWN_SLACK_MS));
      break;
    case 'ERROR':
      process.stderr.write(`Error from the agent: ${event.error.message}\n`);
      break;
  }
}

/** @param policy of the KILL; the task's own is the fallback */
function graceMs(policy?: KillPolicy): number {
  const nanoseconds = (policy?.grace_period ?? task?.kill_policy?.grace_period)?.nanoseconds;
  return nanoseconds === undefined ? DEFAULT_KILL_GRACE_MS : nanoseconds / 1_000_000;
}

function launch(info: TaskInfo): void {
  if (task) return;
  task = info;
  taskUnacknowledged = true;
  report('TASK_STARTING');
  const process = start(info.command ?? {}, 'inherit');
  child = process;
  process.once('spawn', () => {
    report('TASK_RUNNING');
    if (info.health_check) health = watch(info.health_check);
  });
  process.once('error', (error) => {
    if (process.pid === undefined) end('TASK_FAILED', `Failed to launch command: ${messageOf(error)}`);
  });
  process.once('exit', (code, killSignal) => {
    const state = killed ? 'TASK_KILLED' : code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
    end(state, `Command ${describeExit(code, killSignal)}`);
  });
}

function watch(check: HealthCheck): CommandHealth {
  return watchHealth({
    check,
    start: (command) => start(command, 'pipe'),
    onResult: (healthy) => {
      report('TASK_RUNNING', { reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED', healthy });
    },
    onKill: () => {
      unhealthy = true;
      kill(graceMs());
    },
    log: (line) => process.stderr.write(`${line}\n`),
  });
}

/** Starts the command in a new session, so that a signal reaches all of its child processes. */
function start(command: CommandInfo, output: 'inherit' | 'pipe'): ChildProcess {
  const [program = '', ...rest] = commandArgv(command);
  const shell = command.shell ?? true;
  const ids = user === undefined ? undefined : findUser(user);
  const variables = (command.environment?.variables ?? []).map(({ name, value = '' }) => [name, value]);
  return spawn(program, rest, {
    argv0: shell ? 'sh' : (command.arguments?.[0] ?? program),
    detached: true,
    cwd: environment.directory,
    env: { ...process.env, ...Object.fromEntries(variables) },
    stdio: ['ignore', output, output],
    ...(ids && ids.uid !== process.getuid?.() ? { uid: ids.uid, gid: ids.gid } : {}),
  });
}

function kill(afterMs: number): void {
  if (!child || ended) return;
  if (!killed) {
    killed = true;
    health?.stop();
    if (framework?.capabilities?.some((c) => c.type === 'TASK_KILLING_STATE')) report('TASK_KILLING');
    signal('SIGTERM');
  }
  const at = Date.now() + afterMs;
  if (at >= killAt) return;
  killAt = at;
  clearTimeout(killTimer);
  killTimer = setTimeout(() => signal('SIGKILL'), afterMs);
}

function signal(name: NodeJS.Signals): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Handles the end of the command: kills its remaining child processes, and exits when the agent knows the end. */
function end(state: TaskState, message: string): void {
  if (ended) return;
  ended = true;
  health?.stop();
  clearTimeout(killTimer);
  signal('SIGKILL');
  report(state, { message, ...(unhealthy && { healthy: false }) });
  setTimeout(() => process.exit(0), LAST_ACKNOWLEDGEMENT_MS).unref();
}

function report(state: TaskState, more: Pick<TaskStatus, 'message' | 'reason' | 'healthy'> = {}): void {
  if (!task) return;
  const uuid = uuidBase64(randomBytes(16));
  const status: TaskStatus = {
    task_id: task.task_id,
    state,
    ...more,
    source: 'SOURCE_EXECUTOR',
    executor_id: { value: environment.executorId },
    timestamp: Date.now() / 1000,
    uuid,
  };
  unacknowledged.set(uuid, status);
  send(uuid, status);
}

/** Sends an update. An update that can't be sent without an agent is part of the next SUBSCRIBE. */
function send(uuid: string, status: TaskStatus): void {
  session.call({ type: 'UPDATE', update: { status } }).catch((error: unknown) => {
    if (!(error instanceof MesosCallError) || error.status === undefined) return;
    if (error.status === 400) process.stderr.write(`${error.message}\n`);
    setTimeout(() => {
      if (unacknowledged.has(uuid)) send(uuid, status);
    }, RETRY_MS);
  });
}

function acknowledged(uuid: string): void {
  unacknowledged.delete(uuid);
  taskUnacknowledged = false;
  if (ended && unacknowledged.size === 0) void session.stop().then(() => process.exit(0));
}

session.start();
