/** The times at which the parts of a running demo started and reached their states, from its processes and logs. */
import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { DemoState } from '../../src/demo/directory.ts';

/** Milliseconds since the epoch. */
export type Marks = Map<string, number>;

/** Ticks of `/proc/PID/stat` in a second: the start of a process is known to 10 ms. */
const TICKS = 100;

/** @param dir the directory of the demo, which must be running */
export async function readMarks(dir: string): Promise<Marks> {
  const { supervisor, processes } = JSON.parse(await text(dir, 'state.json')) as DemoState;
  const log = (name: string) => text(dir, `logs/${name}.log`);
  const [master, agents, scheduler] = await Promise.all([
    log('master'),
    Promise.all(
      Object.keys(processes)
        .filter((n) => n.startsWith('agent'))
        .map(log),
    ),
    log('scheduler'),
  ]);
  const executors = await executorLogs(dir);
  const booted = Date.now() - Number((await text('/proc', 'uptime')).split(' ')[0]) * 1000;
  const startOf = async (pid: number) => {
    const stat = await text('/proc', `${pid}/stat`);
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return booted + (ticks / TICKS) * 1000;
  };
  const first = (log: string, part: string) => Math.min(...timesOf(log, part));
  const last = (logs: readonly string[], part: string) => Math.max(...logs.flatMap((l) => timesOf(l, part)));
  const calls = executors.flatMap(callsOf);
  const of = (op: string) => calls.filter((call) => call.op === op);
  const marks: [string, number][] = [
    ['supervisor process starts', await startOf(supervisor.pid)],
    ...(await Promise.all(
      Object.entries(processes).map(
        async ([name, pid]): Promise<[string, number]> => [`${name} process starts`, await startOf(pid)],
      ),
    )),
    ['master listens', first(master, 'listening on')],
    ['last agent is registered', last([master], 'Registered agent')],
    ['scheduler listens', first(scheduler, 'listening on')],
    ['scheduler is subscribed', first(scheduler, 'subscribed to the master')],
    ['app is accepted', first(scheduler, 'app started')],
    ['first offer', first(master, 'Sending offers')],
    ['scheduler accepts the offers', last([scheduler], 'task launched')],
    ['last executor is launched', last(agents, 'Launching executor')],
    ['last executor has subscribed', last(agents, 'subscribed')],
    ['first create call', Math.min(...of('create').map(({ start }) => start))],
    ['last create call has ended', Math.max(...of('create').map(({ end }) => end))],
    ['last container is started', Math.max(...of('start').map(({ end }) => end))],
    ['scheduler knows that all tasks run', last([scheduler], 'TASK_RUNNING')],
  ];
  return new Map(marks);
}

function text(...parts: string[]): Promise<string> {
  return readFile(path.join(...parts), 'utf8');
}

async function executorLogs(dir: string): Promise<string[]> {
  const logs: string[] = [];
  for await (const file of glob('agent*/slaves/*/frameworks/*/executors/*/runs/*/executor.log', {
    cwd: dir,
  })) {
    logs.push(await text(dir, file));
  }
  return logs;
}

/** The times of the lines that contain `part`. A line is JSON with `time`, or begins with the time. */
function timesOf(log: string, part: string): number[] {
  const lines = log.split('\n').filter((line) => line.includes(part));
  return lines.map((line) => {
    if (!line.startsWith('{')) return Date.parse(line.split(' ')[0] ?? '');
    return new Date((JSON.parse(line) as { time: number | string }).time).getTime();
  });
}

function callsOf(log: string): { op: string; start: number; end: number }[] {
  const lines = log.split('\n').filter((line) => line.includes('"op"'));
  return lines.map((line) => JSON.parse(line));
}
