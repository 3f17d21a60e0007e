import { cp, glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type DemoState, demoDirectory, readState } from '../../src/demo/directory.ts';
import { type Endpoint, parseEndpoints } from '../../src/demo/scheduler-api.ts';
import { DockerEngine } from '../../src/docker/engine.ts';
import { identify, listProcessIds } from '../../src/proc/process-id.ts';
import { openJournal } from '../../src/scheduler/store/journal.ts';
import { loadAll } from '../../src/scheduler/store/store.ts';

/** Queries of a running demo for tests, from outside: with HTTP, Docker and /proc. */

export const root = path.resolve(import.meta.dirname, '../..');
export const dir = demoDirectory(process.getuid?.() ?? 0, process.env);
export const engine = new DockerEngine();

/** The shortest pause between two probes, in milliseconds. */
const POLL_MS = 25;
/** The pause after a probe, in times of its duration: what is waited for needs the processor too. */
const POLL_PAUSES = 2;
/** The longest pause. */
const POLL_LIMIT_MS = 2000;
const ESCAPE = String.fromCharCode(27);
const CURSOR_QUERY = new RegExp(`${ESCAPE}\\[6n`, 'g');
const CURSOR_ANSWER = `${ESCAPE}[1;200R`;
const CONTROL = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]`, 'g');

export function mesosup(...args: string[]) {
  return execa(path.join(root, 'bin/mesosup'), args, { reject: false, stdin: 'ignore' });
}

/** Waits until `probe` returns a value. @throws Error with `what` and the last failure after `ms` */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  ms = 120_000,
): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  for (;;) {
    const began = performance.now();
    const value = await probe().catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`after ${ms} ms: ${what}`, { cause: last });
    const pause = POLL_PAUSES * (performance.now() - began);
    await sleep(Math.min(Math.max(POLL_MS, pause), POLL_LIMIT_MS));
  }
}

export async function state(): Promise<DemoState> {
  const found = await readState(dir);
  if (!found) throw new Error('no demo is running');
  return found;
}

export async function endpoints(app = 'multidis'): Promise<Endpoint[]> {
  const { schedulerUrl } = await state();
  return parseEndpoints(await (await fetch(`${schedulerUrl}/v1/endpoints`)).text(), app);
}

/** The demo's containers with their start times, which a restart would change. */
export async function containers(): Promise<
  { id: string; task: string; startedAt: string; state: string }[]
> {
  const { cluster } = await state();
  const list = await engine.listContainers({ 'mesosup.cluster': cluster });
  const all = await Promise.all(
    list.map(async ({ Id, Labels, State }) => {
      const info = await engine.inspectContainer(Id);
      return {
        id: Id,
        task: Labels['mesosup.task'] ?? '',
        startedAt: info?.State.StartedAt ?? 'gone',
        state: State,
      };
    }),
  );
  return all.sort((a, b) => a.id.localeCompare(b.id));
}

/** Pids of the running executors' supervisors, each with its worker. */
export async function executors(): Promise<{ supervisor: number; worker: number }[]> {
  const found: { supervisor: number; worker: number }[] = [];
  const files = glob('agent*/slaves/*/frameworks/*/executors/*/runs/*/supervisor.pid', { cwd: dir });
  for await (const file of files) {
    const supervisor = Number.parseInt(await readFile(path.join(dir, file), 'utf8'), 10);
    const children = await readFile(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').catch(
      () => '',
    );
    for (const child of children.trim().split(' ').filter(Boolean)) {
      const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
      if (command.includes('executor.js')) found.push({ supervisor, worker: Number(child) });
    }
  }
  return found;
}

/** Pids of all workers of executors, with or without a supervisor. */
export async function workers(): Promise<number[]> {
  const found = await Promise.all(
    listProcessIds().map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(path.join(root, 'dist/lib/executor.js')) && identify(pid) ? [pid] : [];
    }),
  );
  return found.flat();
}

/**
 * Host and port of the tasks whose last stored update is TASK_RUNNING. Reads a copy of the scheduler's journal event by
 * event, independent of the scheduler's own code.
 */
async function storedRunning(): Promise<string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-journal-'));
  try {
    await cp(path.join(dir, 'scheduler'), directory, {
      recursive: true,
      filter: (file) => !file.endsWith('lock'),
    });
    const store = await openJournal({ directory, warn: () => undefined });
    const tasks = new Map<string, { at: string; state: string }>();
    for (const event of await loadAll(store)) {
      if (event.type === 'task_launched' || event.type === 'task_restored') {
        const { id, host, ports, state } = event.task;
        tasks.set(id, { at: `${host}:${ports[0]}`, state });
      } else if (event.type === 'task_updated') {
        const task = tasks.get(event.taskId);
        if (task) task.state = event.state;
      }
    }
    await store.close();
    return [...tasks.values()].filter((t) => t.state === 'TASK_RUNNING').map((t) => t.at);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Resolves when exactly `instances` of the app run, according to the endpoints, the journal, Docker and Mesos. */
export async function steady(instances = 2, app = 'multidis', ms = 30_000): Promise<void> {
  const { masterUrl } = await state();
  await until(
    `${instances} instances of ${app}, in endpoints, journal, Docker and Mesos alike`,
    async () => {
      const listed = await endpoints(app);
      const running = (await containers()).filter((c) => c.task.startsWith(`${app}_`));
      const { tasks } = (await (await fetch(`${masterUrl}/tasks?limit=1000`)).json()) as {
        tasks: { id: string; state: string }[];
      };
      const stored = await storedRunning();
      const inMesos = tasks.filter((t) => t.id.startsWith(`${app}_`) && t.state === 'TASK_RUNNING');
      return (
        listed.length === instances &&
        listed
          .map(({ host, port }) => `${host}:${port}`)
          .sort()
          .join() === stored.sort().join() &&
        running.length === instances &&
        running.every((c) => c.state === 'running') &&
        inMesos
          .map((t) => t.id)
          .sort()
          .join() ===
          running
            .map((c) => c.task)
            .sort()
            .join()
      );
    },
    ms,
  );
}

/**
 * Types a command in a new terminal (util-linux `script` creates the pty) and answers its prompts.
 *
 * @param conversation the answer is typed when the prompt appears in the new output
 * @param ms timeout
 * @returns the complete output of the terminal, without colours
 */
export async function typed(
  command: string,
  conversation: { prompt: string; answer: string }[] = [],
  ms = 120_000,
): Promise<string> {
  const terminal = execa('script', ['-qefc', command, '/dev/null'], {
    reject: false,
    // `script` runs the shell of the environment, but not every shell continues after a command that Ctrl-C ended.
    env: { TERM: 'xterm', COLUMNS: '200', SHELL: '/bin/bash' },
    timeout: ms,
  });
  let shown = '';
  let seen = 0;
  const rest = [...conversation];
  // `script` ends only after its own input has ended.
  const endInput = () => rest.length === 0 && terminal.stdin?.end();
  endInput();
  terminal.stdout?.on('data', (chunk: Buffer) => {
    const text = chunk.toString('utf8');
    shown += text;
    // redis-cli asks for the cursor position if it does not know the width of the terminal; a terminal answers.
    for (const _ of text.matchAll(CURSOR_QUERY)) terminal.stdin?.write(CURSOR_ANSWER);
    const next = rest[0];
    const at = next ? shown.indexOf(next.prompt, seen) : -1;
    if (!next || at < 0) return;
    seen = at + next.prompt.length;
    rest.shift();
    terminal.stdin?.write(next.answer);
    endInput();
  });
  await terminal;
  return shown.replace(CONTROL, '').replaceAll('\r', '');
}
