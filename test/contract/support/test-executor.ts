/**
 * An executor that follows the instructions of its tasks (behaviour.ts). With `--supervise` this process only starts a
 * child executor, and restarts it after it was killed by a signal. A new child continues with the tasks stored in the
 * sandbox.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createExecutorSession, readExecutorEnvironment } from '../../../src/mesos/executor-session.ts';
import { MesosCallError } from '../../../src/mesos/http.ts';
import type { ExecutorEvent, TaskInfo, TaskStatus } from '../../../src/mesos/types.ts';
import { uuidBase64 } from '../../../src/mesos/uuid.ts';
import { type Behaviour, decodeJson, encodeJson, type KillReport, type Report } from './behaviour.ts';

const TASKS_FILE = 'tasks.json';

if (process.argv.includes('--supervise')) supervise();
else run();

function supervise(): void {
  const start = () => {
    const child = spawn(process.execPath, [process.argv[1] ?? ''], { stdio: 'inherit' });
    child.once('exit', (code) => (code === null ? start() : process.exit(code)));
  };
  start();
}

function run(): void {
  const environment = readExecutorEnvironment(process.env);
  const tasks = new Map<string, TaskInfo>(
    existsSync(TASKS_FILE) ? JSON.parse(readFileSync(TASKS_FILE, 'utf8')) : [],
  );
  const unacknowledged = new Map<string, TaskStatus>();
  const unacknowledgedTasks = new Map<string, TaskInfo>();
  let exitCode: number | undefined;
  let silent = false;

  const session = createExecutorSession({
    environment,
    unacknowledged: () => ({
      tasks: [...unacknowledgedTasks.values()],
      updates: [...unacknowledged.values()].map((status) => ({ status })),
    }),
    onEvent: take,
    onDisconnected: (reason) => {
      console.log(`disconnected: ${reason}`);
      // A timer keeps the process alive, to simulate a hanging program.
      if (silent) void session.stop().then(() => setInterval(() => {}, 60_000));
    },
    onGaveUp: (reason) => {
      console.log(`gave up: ${reason}`);
      process.exit(0);
    },
  });

  function take(event: ExecutorEvent): void {
    console.log(`event ${event.type}`);
    if (event.type === 'LAUNCH') void launch(event.launch.task);
    else if (event.type === 'KILL') kill(event);
    else if (event.type === 'ACKNOWLEDGED') acknowledged(event.acknowledged);
    else if (event.type === 'MESSAGE') void session.call({ type: 'MESSAGE', message: event.message });
    else if (event.type === 'SHUTDOWN') shutDown();
  }

  async function launch(task: TaskInfo): Promise<void> {
    const behaviour = behaviourOf(task);
    if (behaviour.die) process.kill(process.pid, 'SIGKILL');
    tasks.set(task.task_id.value, task);
    unacknowledgedTasks.set(task.task_id.value, task);
    remember();
    if (behaviour.disconnect === 'stay silent') silent = true;
    const report: Report = {
      pid: process.pid,
      parent: process.ppid,
      directory: process.cwd(),
      environment: process.env as Record<string, string>,
    };
    if (behaviour.uuid !== undefined) {
      const refused = await update(task, { state: 'TASK_STARTING', uuid: behaviour.uuid });
      if (refused) report.refusal = { status: refused.status, message: refused.message };
    }
    for (const { state, message } of behaviour.updates ?? [{ state: 'TASK_RUNNING' as const }]) {
      void update(task, {
        state,
        ...(message !== undefined && { message }),
        ...(state === 'TASK_RUNNING' && { data: encodeJson(report) }),
      });
    }
    if (behaviour.message !== undefined) {
      void session.call({ type: 'MESSAGE', message: { data: encodeJson(behaviour.message) } });
    }
    exitCode = behaviour.exit ?? exitCode;
  }

  function remember(): void {
    writeFileSync(TASKS_FILE, JSON.stringify([...tasks]));
  }

  /** @returns the agent's refusal, if any */
  async function update(
    task: TaskInfo,
    part: Pick<TaskStatus, 'state'> & Partial<TaskStatus>,
  ): Promise<MesosCallError | undefined> {
    const status: TaskStatus = {
      task_id: task.task_id,
      source: 'SOURCE_EXECUTOR',
      timestamp: Date.now() / 1000,
      uuid: uuidBase64(randomBytes(16)),
      ...part,
    };
    unacknowledged.set(status.uuid ?? '', status);
    try {
      await session.call({ type: 'UPDATE', update: { status } });
    } catch (error) {
      console.log(`UPDATE failed: ${(error as Error).message}`);
      if (!(error instanceof MesosCallError) || error.status === undefined) return undefined;
      unacknowledged.delete(status.uuid ?? '');
      return error;
    }
    return undefined;
  }

  function kill(event: KillReport): void {
    const task = tasks.get(event.kill.task_id.value);
    if (!task || behaviourOf(task).kill === 'ignore') return;
    tasks.delete(task.task_id.value);
    remember();
    void update(task, { state: 'TASK_KILLED', data: encodeJson(event) });
  }

  function acknowledged({ task_id, uuid }: { task_id: { value: string }; uuid: string }): void {
    unacknowledged.delete(uuid);
    unacknowledgedTasks.delete(task_id.value);
    if (exitCode !== undefined && unacknowledged.size === 0) process.exit(exitCode);
  }

  function shutDown(): void {
    if ([...tasks.values()].every((task) => behaviourOf(task).shutdown !== 'ignore')) process.exit(0);
  }

  session.start();
}

function behaviourOf(task: TaskInfo): Behaviour {
  return task.data === undefined ? {} : decodeJson<Behaviour>(task.data);
}
