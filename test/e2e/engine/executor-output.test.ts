import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { beforeAll, expect, test, vi } from 'vitest';
import { logDirectory, readLog } from '../../scheduler/log-directory.ts';
import { executorBench } from '../support/executor-bench.ts';
import {
  type ExecutorProcess,
  gone,
  taskOf as networked,
  onlyContainerOf,
} from '../support/executor-process.ts';

const bench = executorBench();

/** A task without a network, which these tests don't need. */
const taskOf: typeof networked = (id, script, more = {}) =>
  networked(id, script, { ...more, options: ['--network', 'none', ...(more.options ?? [])] });
const FACTOR = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1);

/** The log options of a container whose log Docker rotates often. */
const rotated = (size: string, files: number) => [
  ...['--log-driver', 'json-file', '--log-opt', `max-size=${size}`, '--log-opt', `max-file=${files}`],
];

async function killWorker(executor: ExecutorProcess): Promise<void> {
  const worker = await executor.workerPid();
  process.kill(worker, 'SIGKILL');
  await gone(worker);
}

/** The complete output of a task's stream, with the rotated files. */
async function outputOf(executor: ExecutorProcess, task: string, stream: string): Promise<Buffer> {
  const directory = path.join(executor.sandbox, 'tasks', task);
  const names = (await readdir(directory)).filter((name) => new RegExp(`^${stream}(\\.\\d+)?$`).test(name));
  const age = (name: string) => Number(name.split('.')[1] ?? 0);
  names.sort((a, b) => age(b) - age(a));
  return Buffer.concat(await Promise.all(names.map((name) => readFile(path.join(directory, name)))));
}

/** Memory of a process that no other process shares, in MiB. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** The supervisor of these tests restarts the worker at once, however often it is killed. */
beforeAll(async () => {
  const script = path.join(bench.dist, 'executors/docker');
  const text = await readFile(script, 'utf8');
  await writeFile(script, text.replace('FAST_SECONDS=10', 'FAST_SECONDS=0'));
});

test('each line is in the files once after 20 kills of the worker, while Docker rotates its log', async () => {
  const { agent } = bench;
  const executor = await bench.start();
  const script = `cd /mnt/mesos/sandbox; touch go; i=0
    while [ -e go ]; do seq $i $((i+99)); seq $i $((i+99)) >&2; i=$((i+100)); sleep 0.05; done; echo "end $i"`;
  agent.launch(taskOf('n', script, { options: rotated('1m', 50) }));
  await agent.update('n', 'TASK_RUNNING');
  for (let kill = 1; kill <= 20; kill += 1) {
    await sleep(20 + 37 * (kill % 5));
    await killWorker(executor);
    await agent.subscription(kill + 1);
  }
  await rm(path.join(executor.sandbox, 'tasks/n/sandbox/go'));
  await agent.update('n', 'TASK_FINISHED');
  const lines = (await outputOf(executor, 'n', 'stdout')).toString().trimEnd().split('\n');
  const end = Number(lines.pop()?.replace('end ', ''));
  const expected = Array.from({ length: end }, (_, i) => String(i));
  expect(end).toBeGreaterThan(1000);
  expect(lines).toEqual(expected);
  expect((await outputOf(executor, 'n', 'stderr')).toString().trimEnd().split('\n')).toEqual(expected);
}, 180_000);

test('the output since a time is found over rotations and kills of the worker', async () => {
  const { agent, cluster } = bench;
  const policy = path.join(bench.dist, 'policy.json');
  await writeFile(policy, JSON.stringify({ logs: { maxSize: 65_536, maxFiles: 2 } }));
  const executor = await bench.start({ env: { MESOSUP_EXECUTOR_CONFIG: policy } });
  const script = `i=0; while [ $i -lt 30 ]; do seq $((i*1000)) $((i*1000+999)); i=$((i+1)); sleep 0.2; done
    echo end; while [ ! -e /mnt/mesos/sandbox/go ]; do sleep 0.1; done`;
  agent.launch(taskOf('s', script, { options: rotated('10m', 5) }));
  await agent.update('s', 'TASK_RUNNING');
  for (let kill = 1; kill <= 2; kill += 1) {
    await sleep(1300);
    // Without a worker, the output of some time has to be copied later.
    process.kill(executor.pid, 'SIGSTOP');
    await killWorker(executor);
    await sleep(1200);
    process.kill(executor.pid, 'SIGCONT');
    await agent.subscription(kill + 1);
  }
  await executor.contains('tasks/s/stdout', /^end$/m);
  const { Id } = await onlyContainerOf(cluster);
  const { stdout } = await execa('docker', ['logs', '--timestamps', Id]);
  const timeOf = new Map(
    stdout.split('\n').map((line) => [line.slice(31), Date.parse(`${line.slice(0, 23)}Z`)] as const),
  );
  const kept = (await outputOf(executor, 's', 'stdout')).toString().trimEnd().split('\n');
  expect(kept.length).toBeLessThan(timeOf.size);
  const directory = logDirectory(path.join(executor.sandbox, 'tasks/s'));
  const [first = 0, last = 0] = [timeOf.get('0'), timeOf.get('end')];
  for (let time = first - 2000; time < last + 3000; time += 250) {
    const lines = (await readLog(directory, 'stdout', { since: time })).split('\n').slice(0, -1);
    const left = kept.slice(0, kept.length - lines.length);
    expect([...left, ...lines]).toEqual(kept);
    expect(left.filter((line) => (timeOf.get(line) ?? 0) >= time)).toEqual([]);
    expect(lines.filter((line) => (timeOf.get(line) ?? 0) <= time - 1000)).toEqual([]);
  }
  await writeFile(path.join(executor.sandbox, 'tasks/s/sandbox/go'), '');
  await agent.update('s', 'TASK_FINISHED');
}, 60_000);

test('the output of a terminal is continued after a restart of the worker, also in the middle of a line', async () => {
  const { agent } = bench;
  const executor = await bench.start();
  const script =
    'head -c 40000 /dev/zero | tr "\\0" a; echo; while [ ! -e /mnt/mesos/sandbox/go ]; do sleep 0.1; done; echo end';
  agent.launch(taskOf('t', script, { options: ['-t', ...rotated('1m', 2)] }));
  await executor.contains('tasks/t/stdout', /a\r\n/);
  await killWorker(executor);
  await agent.subscription(2);
  await writeFile(path.join(executor.sandbox, 'tasks/t/sandbox/go'), '');
  await agent.update('t', 'TASK_FINISHED');
  expect(await executor.read('tasks/t/stdout')).toBe(`${'a'.repeat(40_000)}\r\nend\r\n`);
});

test('the log driver local keeps every byte, others say that they can’t be read', async () => {
  const { agent } = bench;
  const executor = await bench.start();
  const script = 'cd /mnt/mesos/sandbox; head -c 100000 /dev/urandom >f; cat f; cat f >&2';
  agent.launch(taskOf('b', script, { options: ['--log-driver', 'local'] }));
  await agent.update('b', 'TASK_FINISHED');
  const bytes = await readFile(path.join(executor.sandbox, 'tasks/b/sandbox/f'));
  for (const stream of ['stdout', 'stderr'])
    expect(bytes.equals(await outputOf(executor, 'b', stream))).toBe(true);
  agent.launch(taskOf('none', 'echo x', { options: ['--log-driver', 'none'] }));
  await agent.update('none', 'TASK_FINISHED');
  expect(await executor.read('tasks/none/stderr')).toBe(
    "mesosup: the container's output can't be read: configured logging driver does not support reading\n",
  );
});

test('output as fast as Docker takes it does not grow the memory of the worker, and its files stay below their limit', async () => {
  const { agent } = bench;
  const executor = await bench.start();
  const seconds = Math.min(60, 3 * FACTOR);
  const line = 'x'.repeat(1000);
  const source = `busybox timeout ${seconds} busybox yes ${line} | dd bs=1M iflag=fullblock; echo; echo end`;
  agent.launch(taskOf('f', source, { options: rotated('10m', 3) }));
  await agent.update('f', 'TASK_RUNNING');
  const worker = await executor.workerPid();
  const samples = [await memoryOf(worker)];
  const ended = agent.update('f', 'TASK_FINISHED');
  let isOver = false;
  void ended.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    samples.push(await memoryOf(worker));
    await sleep(100);
  }
  await ended;
  const [before = 0] = samples;
  const megabytes = Number(/^(\d+)\+\d+ records out$/m.exec(await executor.read('tasks/f/stderr'))?.[1]);
  const tenths = Array.from({ length: 10 }, (_, i) =>
    samples[Math.floor((i * samples.length) / 10)]?.toFixed(0),
  );
  console.log(
    `${megabytes} MiB in ${seconds} s; memory of the worker in MiB: ${tenths.join(', ')}, at most ${Math.max(...samples).toFixed(0)}`,
  );
  expect(Math.max(...samples) - before).toBeLessThan(64);
  const output = await outputOf(executor, 'f', 'stdout');
  expect(output.length).toBeLessThan(5 * 10.1 * 1024 * 1024);
  expect(output.subarray(-4).toString()).toBe('end\n');
}, 180_000);

test('a full disk costs output and not the task, and lines say how much', async () => {
  const { agent } = bench;
  let sandbox = '';
  const executor = await bench.start({
    fetch: async (directory) => {
      sandbox = directory;
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', directory]);
    },
  });
  try {
    const ballast = path.join(sandbox, 'ballast');
    await writeFile(ballast, Buffer.alloc(2 * 1024 * 1024));
    const script = 'seq 100000 300000; cd /mnt/mesos/sandbox; while [ ! -e go ]; do sleep 0.1; done; seq 1 3';
    agent.launch(taskOf('d', script));
    await agent.update('d', 'TASK_RUNNING');
    // The position of the output says how much of it is missing.
    await vi.waitFor(async () => {
      const [name = ''] = (await readdir(path.join(sandbox, 'state'))).filter((file) =>
        file.endsWith('.output'),
      );
      expect(JSON.parse(await executor.read(`state/${name}`)).stdout.lost).toBeGreaterThan(0);
    }, 60_000);
    await rm(ballast);
    await writeFile(path.join(sandbox, 'tasks/d/sandbox/go'), '');
    await agent.update('d', 'TASK_FINISHED');
    const lines = (await outputOf(executor, 'd', 'stdout')).toString().trimEnd().split('\n');
    const at = lines.findIndex((line) => line.startsWith('mesosup'));
    expect(lines.slice(0, at)).toEqual(Array.from({ length: at }, (_, i) => String(100_000 + i)));
    // A short part of the output may find room after a longer one did not.
    const marks = lines.filter((line) => line.startsWith('mesosup'));
    const lost = marks.map((mark) =>
      Number(
        /^mesosup: (\d+) bytes of output are missing here: ENOSPC: no space left on device/.exec(mark)?.[1],
      ),
    );
    const numbers = lines.filter((line) => !line.startsWith('mesosup')).map(Number);
    expect(numbers.splice(-3)).toEqual([1, 2, 3]);
    expect(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))).toBe(true);
    expect(lost.reduce((sum, bytes) => sum + bytes, 0) + numbers.length * 7).toBe(200_001 * 7);
  } finally {
    await execa('umount', ['--lazy', sandbox]);
  }
});

test('a container that writes faster than Docker can send has its missing lines marked', async () => {
  const { agent } = bench;
  const executor = await bench.start();
  agent.launch(taskOf('fast', 'seq 1 300000; echo end', { options: rotated('10m', 2) }));
  await agent.update('fast', 'TASK_FINISHED');
  const lines = (await outputOf(executor, 'fast', 'stdout')).toString().trimEnd().split('\n');
  expect(lines.pop()).toBe('end');
  // Docker does not say what it removed before the executor first read: on a busy machine, the first lines.
  let isMarked = true;
  let last = 0;
  let unmarked = 0;
  let marks = 0;
  for (const line of lines) {
    if (line.startsWith('mesosup: output is missing here')) {
      isMarked = true;
      marks += 1;
      continue;
    }
    const number = Number(line);
    expect(number).toBeGreaterThan(last);
    if (number !== last + 1 && !isMarked) unmarked += 1;
    isMarked = false;
    last = number;
  }
  console.log(`${lines.length} lines of 300000, ${marks} marks of missing lines`);
  expect(unmarked).toBe(0);
}, 180_000);
