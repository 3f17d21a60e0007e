/**
 * The program that runs one command task, as `mesos-executor` does for a real agent: an executor of its own, so that
 * the command outlives a restart of the agent. `--user=NAME` is whom the command runs as. With `--http` it heeds the kill
 * policy of a KILL; without, only the task's own, as the driver that `mesos-executor` uses by default drops the other.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { argvOf } from '../health/command.ts';
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
import { findUser } from './agent/users.ts';
import { type CommandHealth, watchHealth } from './command-health.ts';
import { describeExit } from './wire/exit-text.ts';

/** From SIGTERM to SIGKILL where neither the kill nor the task says. */
const DEFAULT_KILL_GRACE_MS = 3000;
/** What a shutdown leaves of its grace period for the last update to get through. */
const SHUTDOWN_SLACK_MS = 1000;
/** Wait before an update is sent again that the agent did not take, and for its last acknowledgement. */
const RETRY_MS = 250;
const LAST_WORD_MS = 60_000;

const environment = readExecutorEnvironment(process.env);
// The command is not to speak for its executor.
delete process.env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
const heedsKillPolicy = process.argv.includes('--http');
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
/** Killed because its health checks failed. */
let unhealthy = false;
let ended = false;
/** When the command is killed for good, in milliseconds since the epoch; a later kill may only bring it forward. */
let killAt = Number.POSITIVE_INFINITY;
let killTimer: NodeJS.Timeout | undefined;

const session = createExecutorSession({
  environment,
  unacknowledged: () => ({
    tasks: task && taskUnacknowledged ? [task] : [],
    updates: [...unacknowledged.values()].map((status) => ({ status })),
  }),
  onEvent,
  onDisconnected: () => {},
  onGaveUp(reason) {
    process.stderr.write(`The agent is gone: ${reason}\n`);
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
      kill(graceMs(heedsKillPolicy ? event.kill.kill_policy : undefined));
      break;
    case 'SHUTDOWN':
      if (!child) process.exit(0);
      kill(Math.max(0, environment.shutdownGraceMs - SHUTDOWN_SLACK_MS));
      break;
    case 'ERROR':
      process.stderr.write(`The agent says: ${event.error.message}\n`);
      break;
  }
}

/** @param policy of the KILL; where it doesn't say, the task's own counts */
function graceMs(policy?: KillPolicy): number {
  const given = (policy?.grace_period ?? task?.kill_policy?.grace_period)?.nanoseconds;
  return given === undefined ? DEFAULT_KILL_GRACE_MS : given / 1_000_000;
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
    onChange: (healthy) => {
      report('TASK_RUNNING', { reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED', healthy });
    },
    onKill: () => {
      unhealthy = true;
      kill(graceMs());
    },
    log: (line) => process.stderr.write(`${line}\n`),
  });
}

/** In a session of its own, so that a signal reaches everything the command starts. */
function start(command: CommandInfo, output: 'inherit' | 'pipe'): ChildProcess {
  const [program = '', ...rest] = argvOf(command);
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

/** The command is over, and whatever it left running goes with it. Ends this program once the agent knows. */
function end(state: TaskState, message: string): void {
  if (ended) return;
  ended = true;
  health?.stop();
  clearTimeout(killTimer);
  signal('SIGKILL');
  report(state, { message, ...(unhealthy && { healthy: false }) });
  setTimeout(() => process.exit(0), LAST_WORD_MS).unref();
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

/** What is not sent while there is no agent goes along with the next subscription. */
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
