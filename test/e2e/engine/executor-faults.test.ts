import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { EngineProxy } from '../support/engine-proxy.ts';
import { executorBench } from '../support/executor-bench.ts';
import {
  containersOf,
  type ExecutorProcess,
  gone,
  onlyContainerOf,
  taskOf,
} from '../support/executor-process.ts';

const bench = executorBench();

/** Writes a number ten times a second, alternately to both streams. */
const COUNTING = 'i=0; while :; do i=$((i+1)); echo $i; echo e$i >&2; sleep 0.05; done';

/** Kills worker and supervisor like a crash of Mesos on the machine: neither can clean up. */
async function vanish(executor: ExecutorProcess): Promise<void> {
  const worker = await executor.workerPid();
  process.kill(worker, 'SIGSTOP');
  process.kill(executor.pid, 'SIGKILL');
  await executor.exited;
  process.kill(worker, 'SIGKILL');
  await gone(worker);
}

async function killWorker(executor: ExecutorProcess): Promise<void> {
  const worker = await executor.workerPid();
  process.kill(worker, 'SIGKILL');
  await gone(worker);
}

test('adopts the container after a killed worker: no restart, no further update, no lost output', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start();
  agent.launch(taskOf('a', COUNTING));
  await agent.update('a', 'TASK_RUNNING');
  await executor.contains('tasks/a/stdout', /^5$/m);
  const before = await onlyContainerOf(cluster);
  await killWorker(executor);
  expect(await agent.subscription(2)).toEqual({ unacknowledged_tasks: [], unacknowledged_updates: [] });
  await killWorker(executor);
  await agent.subscription(3);
  const last = Number((await executor.read('tasks/a/stdout')).trim().split('\n').at(-1));
  await executor.contains('tasks/a/stdout', new RegExp(`^${last + 10}$`, 'm'));
  await executor.contains('tasks/a/stderr', new RegExp(`^e${last + 10}$`, 'm'));
  const after = await onlyContainerOf(cluster);
  expect([after.Id, after.State.StartedAt]).toEqual([before.Id, before.State.StartedAt]);
  expect(agent.statesOf('a')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  agent.kill('a', 0);
  await agent.update('a', 'TASK_KILLED');
  const numbers = (await executor.read('tasks/a/stdout')).trim().split('\n').map(Number);
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  const errors = (await executor.read('tasks/a/stderr')).trim().split('\n');
  expect(errors).toEqual(errors.map((_, i) => `e${i + 1}`));
});

test('repeats an unacknowledged update with the same uuid after the worker was killed', async () => {
  const { agent } = bench;
  agent.acknowledges = false;
  const executor = await bench.start();
  agent.launch(taskOf('u', 'sleep 600', { env: { PASSWORD: 'hunter2' } }));
  const starting = await agent.update('u', 'TASK_STARTING');
  const running = await agent.update('u', 'TASK_RUNNING');
  await killWorker(executor);
  const again = await agent.subscription(2);
  expect(again.unacknowledged_tasks.map((t) => t.task_id.value)).toEqual(['u']);
  expect(again.unacknowledged_updates.map((u) => u.status)).toEqual([starting, running]);
  agent.acknowledge(starting);
  agent.acknowledge(running);
  agent.kill('u', 0);
  const killed = await agent.update('u', 'TASK_KILLED');
  await killWorker(executor);
  const third = await agent.subscription(3);
  expect(third.unacknowledged_tasks).toEqual([]);
  expect(third.unacknowledged_updates.map((u) => u.status.uuid)).toContain(killed.uuid);
});

test('reports an exit that occurred while the worker was not running', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start();
  agent.launch(taskOf('x', 'sleep 600'));
  await agent.update('x', 'TASK_RUNNING');
  process.kill(executor.pid, 'SIGSTOP');
  await killWorker(executor);
  await execa('docker', ['kill', (await onlyContainerOf(cluster)).Id]);
  process.kill(executor.pid, 'SIGCONT');
  expect((await agent.update('x', 'TASK_FAILED')).message).toBe('Container exited with status 137 (SIGKILL)');
});

test('continues the launch of a task without a container after the worker was killed', async () => {
  const { agent } = bench;
  const registry = createServer();
  let asked = 0;
  registry.on('request', () => {
    asked += 1;
    registry.emit('asked');
  });
  registry.listen(0, '127.0.0.1');
  const executor = await bench.start();
  const first = new Promise((resolve) => registry.once('asked', resolve));
  agent.launch(taskOf('early', '', { image: `127.0.0.1:${(registry.address() as AddressInfo).port}/never` }));
  await first;
  const second = new Promise((resolve) => registry.once('asked', resolve));
  await killWorker(executor);
  await agent.subscription(2);
  await second;
  expect(asked).toBeGreaterThan(1);
  agent.kill('early');
  await agent.update('early', 'TASK_KILLED');
  registry.closeAllConnections();
  registry.close();
});

test('continues a kill after the worker was killed', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start();
  agent.launch(taskOf('d', 'trap "" TERM; echo up; while :; do sleep 0.1; done'));
  await agent.update('d', 'TASK_RUNNING');
  await executor.contains('tasks/d/stdout', /up/);
  agent.kill('d', 1);
  await agent.update('d', 'TASK_KILLING');
  await killWorker(executor);
  await agent.update('d', 'TASK_KILLED');
  agent.send({ type: 'SHUTDOWN' });
  await executor.exited;
  expect(await containersOf(cluster)).toEqual([]);
});

test('removes the containers and ends the worker after the supervisor was killed', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start();
  agent.launch(taskOf('s', 'sleep 600'));
  await agent.update('s', 'TASK_RUNNING');
  const worker = await executor.workerPid();
  process.kill(executor.pid, 'SIGKILL');
  await executor.exited;
  await gone(worker);
  expect(await containersOf(cluster)).toEqual([]);
  expect(agent.statesOf('s')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
});

test('removes the containers of an earlier run before a new run starts a task', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start();
  agent.launch(taskOf('old', 'sleep 600'));
  await agent.update('old', 'TASK_RUNNING');
  const { Id } = await onlyContainerOf(cluster);
  await vanish(executor);
  expect(await containersOf(cluster)).toEqual([Id]);
  await bench.start();
  agent.launch(taskOf('new', 'sleep 600'));
  await agent.update('new', 'TASK_RUNNING');
  const { Config } = await onlyContainerOf(cluster);
  expect(Config.Labels['mesosup.task']).toBe('new');
});

test('removes only containers without a supervisor with the janitor', async () => {
  const { agent, cluster, dist } = bench;
  const lost = await bench.start({ executorId: 'lost' });
  agent.launch(taskOf('lost', 'sleep 600'));
  await agent.update('lost', 'TASK_RUNNING');
  await vanish(lost);
  const orphans = await containersOf(cluster);
  agent.cluster = `${cluster}-other`;
  const living = await bench.start({ executorId: 'living' });
  agent.launch(taskOf('living', 'sleep 600'));
  await agent.update('living', 'TASK_RUNNING');
  const janitor = (...args: string[]) =>
    execa(path.join(dist, 'executors/docker'), ['janitor', '--once', ...args]);
  await janitor('--cluster', `${cluster}-other`);
  expect(await containersOf(cluster)).toEqual(orphans);
  await janitor('--cluster', cluster);
  expect(await containersOf(cluster)).toEqual([]);
  expect(await containersOf(`${cluster}-other`)).toHaveLength(1);
  // A reused process id does not count as the supervisor.
  const file = path.join(living.sandbox, 'supervisor.pid');
  const [pid] = (await readFile(file, 'utf8')).split(' ');
  await vanish(living);
  await writeFile(file, `${process.pid} 1\n`);
  expect(Number(pid)).toBe(living.pid);
  await janitor('--cluster', `${cluster}-other`);
  expect(await containersOf(`${cluster}-other`)).toEqual([]);
});

test('cleans up after other executors of the cluster at each start of a worker', async () => {
  const { agent, cluster } = bench;
  const lost = await bench.start({ executorId: 'lost' });
  agent.launch(taskOf('lost', 'sleep 600'));
  await agent.update('lost', 'TASK_RUNNING');
  const { Id } = await onlyContainerOf(cluster);
  await vanish(lost);
  const removed = execa('docker', ['wait', Id]);
  await bench.start({ executorId: 'next' });
  await removed;
});

test('removes the containers if the agent does not come back', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start({ env: { MESOS_CHECKPOINT: '0' } });
  agent.launch(taskOf('g', 'sleep 600'));
  await agent.update('g', 'TASK_RUNNING');
  agent.disconnect();
  expect(await executor.exited).toEqual([0, null]);
  expect(await containersOf(cluster)).toEqual([]);
});

test('keeps the executor and its tasks if the agent comes back', async () => {
  const { agent, cluster } = bench;
  await bench.start();
  agent.launch(taskOf('b', 'sleep 600'));
  await agent.update('b', 'TASK_RUNNING');
  const before = await onlyContainerOf(cluster);
  agent.disconnect();
  await agent.subscription(2);
  agent.launch(taskOf('c', 'true'));
  await agent.update('c', 'TASK_FINISHED');
  expect((await onlyContainerOf(cluster)).State).toEqual(before.State);
  expect(agent.statesOf('b')).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
});

test('gives up a worker that crashes repeatedly', async () => {
  const { agent, cluster, dist } = bench;
  const executor = await bench.start();
  const program = path.join(dist, 'lib/executor.js');
  const good = await readFile(program, 'utf8');
  await rm(program);
  await writeFile(program, 'process.exit(7);\n');
  try {
    await killWorker(executor);
    expect(await executor.exited).toEqual([7, null]);
  } finally {
    await writeFile(program, good);
  }
  expect(await executor.read('executor.log')).toContain('giving up');
  expect(await containersOf(cluster)).toEqual([]);
  expect(agent.updates).toEqual([]);
}, 60_000);

test('keeps a task and its output while the Docker engine is not running for a while', async () => {
  const { agent, cluster } = bench;
  const folder = await mkdtemp(path.join(tmpdir(), 'mesosup-engine-'));
  const proxy = new EngineProxy(path.join(folder, 'docker.sock'));
  await proxy.open();
  try {
    const executor = await bench.start({ env: { DOCKER_HOST: `unix://${proxy.socket}` } });
    agent.launch(taskOf('e', COUNTING));
    await agent.update('e', 'TASK_RUNNING');
    await executor.contains('tasks/e/stdout', /^3$/m);
    await proxy.close();
    await executor.contains('executor.log', /waiting for Docker/);
    agent.launch(taskOf('meanwhile', 'true'));
    const failed = await agent.update('meanwhile', 'TASK_FAILED');
    expect(failed.message).toMatch(/Docker is not running \(nothing listens on .*systemctl start docker/);
    await proxy.open();
    const last = Number((await executor.read('tasks/e/stdout')).trim().split('\n').at(-1));
    await executor.contains('tasks/e/stdout', new RegExp(`^${last + 10}$`, 'm'));
    await execa('docker', ['kill', (await onlyContainerOf(cluster)).Id]);
    await agent.update('e', 'TASK_FAILED');
    expect(agent.statesOf('e')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    const numbers = (await executor.read('tasks/e/stdout')).trim().split('\n').map(Number);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    // The worker needs the Docker engine to clean up.
    await executor.end();
  } finally {
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
});
