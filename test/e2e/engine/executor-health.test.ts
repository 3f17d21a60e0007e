import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { DockerEngine } from '../../../src/docker/engine.ts';
import type { HealthCheck, TaskStatus } from '../../../src/mesos/types.ts';
import { freePorts } from '../../support/free-ports.ts';
import { WITH_PORTS } from '../support/busybox-image.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { executorBench } from '../support/executor-bench.ts';
import { type ExecutorProcess, gone, onlyContainerOf, taskOf } from '../support/executor-process.ts';

const bench = executorBench();

const QUICK = { delay_seconds: 0, interval_seconds: 0.1, grace_period_seconds: 0 };
/** Waits without a child process that would delay the exit of the shell. */
const IDLE = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

const command = (value: string, more: HealthCheck = {}): HealthCheck => ({
  type: 'COMMAND',
  command: { value },
  ...QUICK,
  ...more,
});

/** The health in the TASK_RUNNING updates of a task, in order. */
function healthOf(taskId: string): (boolean | undefined)[] {
  const live = bench.agent.updates.filter((u) => u.task_id.value === taskId && u.state === 'TASK_RUNNING');
  return live.map((u) => u.healthy);
}

/** The values without successive equal ones. */
function changes(values: (boolean | undefined)[]): (boolean | undefined)[] {
  return values.filter((one, i) => i === 0 || one !== values[i - 1]);
}

function healthUpdate(taskId: string, healthy: boolean, nth = 1): Promise<TaskStatus> {
  return bench.agent.until(() => {
    const { updates } = bench.agent;
    return updates.filter((u) => u.task_id.value === taskId && u.healthy === healthy)[nth - 1];
  });
}

async function inContainer(script: string): Promise<void> {
  const { Id } = await onlyContainerOf(bench.cluster);
  await execa('docker', ['exec', Id, '/bin/sh', '-c', script]);
}

async function reasons(executor: ExecutorProcess): Promise<unknown[]> {
  return (await executor.log())
    .filter((l) => String(l.msg).startsWith('a health check'))
    .map((l) => l.reason);
}

/** Processes of a container whose command line holds this text. */
async function processesWith(text: string): Promise<string[]> {
  const { Id } = await onlyContainerOf(bench.cluster);
  const { stdout } = await execa('docker', ['top', Id, '-eo', 'pid,args']);
  return stdout.split('\n').filter((line) => line.includes(text));
}

describe('a COMMAND check', () => {
  test('runs in the container with its environment and that of the check, and reports each change of health', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    const check = command('test "$FROM_TASK $OWN" = "task check" && test ! -e /tmp/sick', {
      consecutive_failures: 1000,
    });
    const variables = [{ name: 'OWN', value: 'check' }];
    const health_check = { ...check, command: { ...check.command, environment: { variables } } };
    agent.launch(taskOf('c', IDLE, { env: { FROM_TASK: 'task' }, health_check }));
    const well = await healthUpdate('c', true);
    expect(well).toMatchObject({
      state: 'TASK_RUNNING',
      reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
      source: 'SOURCE_EXECUTOR',
    });
    expect(well.container_status).toEqual((await agent.update('c', 'TASK_RUNNING')).container_status);
    await inContainer('echo > /tmp/sick');
    expect((await healthUpdate('c', false)).message).toBe(
      'COMMAND health check failed: the command exited with status 1',
    );
    await inContainer('rm /tmp/sick');
    await healthUpdate('c', true, 2);
    expect(changes(healthOf('c'))).toEqual([undefined, true, false, true]);
    expect(new Set(await reasons(executor))).toEqual(new Set(['the command exited with status 1']));
  });

  test('that fails too often in a row kills the task within its kill grace period', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(
      taskOf('k', 'trap "" TERM; while :; do sleep 0.1; done', {
        health_check: command('echo broken >&2; exit 7', { consecutive_failures: 2 }),
        kill_policy: { grace_period: { nanoseconds: 1e9 } },
      }),
    );
    const killed = await agent.update('k', 'TASK_KILLED');
    expect(killed).toMatchObject({
      healthy: false,
      message:
        'COMMAND health check failed: the command exited with status 7: broken (2 times in a row). ' +
        'Container exited with status 137 (SIGKILL) after a stop request',
    });
    expect(killed.reason).toBeUndefined();
    expect(agent.statesOf('k')).toEqual([
      'TASK_STARTING',
      'TASK_RUNNING',
      'TASK_RUNNING',
      'TASK_RUNNING',
      'TASK_KILLING',
      'TASK_KILLED',
    ]);
    expect(healthOf('k')).toEqual([undefined, false, false]);
    expect(await reasons(executor)).toEqual(Array(2).fill('the command exited with status 7: broken'));
  });

  test('that exceeds its timeout fails, and is killed with its child processes', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    const hangs = 'sleep 4321 & sleep 4321';
    agent.launch(
      taskOf('t', IDLE, { health_check: command(hangs, { timeout_seconds: 0.5, interval_seconds: 3600 }) }),
    );
    expect((await healthUpdate('t', false)).message).toBe(
      'COMMAND health check failed: the command timed out after 0.5 s',
    );
    await expect.poll(() => processesWith('4321'), { timeout: 10_000 }).toEqual([]);
    expect(await reasons(executor)).toEqual(['the command timed out after 0.5 s']);
  });

  test('without a shell runs a program with arguments, and fails if the program is missing', async () => {
    const { agent } = bench;
    await bench.start();
    const program = (value: string, ...args: string[]): HealthCheck => ({
      type: 'COMMAND',
      command: { shell: false, value, arguments: [value, ...args] },
      ...QUICK,
    });
    const words = `echo '$x "y' > /tmp/words; ${IDLE}`;
    agent.launch(taskOf('good', words, { health_check: program('/bin/grep', '-qF', '$x "y', '/tmp/words') }));
    await healthUpdate('good', true);
    agent.launch(taskOf('bad', IDLE, { health_check: program('/bin/nothing') }));
    expect((await healthUpdate('bad', false)).message).toMatch(/exited with status 12[67].*nothing/);
    await agent.update('bad', 'TASK_KILLED');
  });

  test('does not count failures in the grace period, but logs each of them', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(
      taskOf('g', IDLE, {
        // Long enough for more than one check on a busy machine.
        health_check: command('exit 1', { grace_period_seconds: 5, consecutive_failures: 1 }),
      }),
    );
    const running = await agent.update('g', 'TASK_RUNNING');
    const unwell = await healthUpdate('g', false);
    expect((unwell.timestamp ?? 0) - (running.timestamp ?? 0)).toBeGreaterThan(5);
    await agent.update('g', 'TASK_KILLED');
    expect((await reasons(executor)).length).toBeGreaterThan(1);
  });
});

describe('an HTTP check', () => {
  test('requests the task’s published port, and reports its health until the kill', async () => {
    const { agent } = bench;
    const [udp = 0, unused = 0, port = 0] = await freePorts(3);
    const executor = await bench.start({ env: { MESOSUP_PUBLISH_ADDRESS: '127.0.0.1' } });
    agent.launch(
      taskOf('h', `echo ok > /tmp/health; httpd -p 9000 -h /tmp; ${IDLE}`, {
        image: WITH_PORTS,
        ports: [udp, unused, port].map((p) => [p, p]),
        // The server may need some time until its first success.
        health_check: { type: 'HTTP', http: { port, path: '/health' }, ...QUICK, grace_period_seconds: 30 },
      }),
    );
    await healthUpdate('h', true);
    await inContainer('rm /tmp/health');
    expect((await healthUpdate('h', false)).message).toBe('HTTP health check failed: HTTP 404');
    const killed = await agent.update('h', 'TASK_KILLED');
    expect(killed.message).toContain('HTTP 404 (3 times in a row)');
    expect((await reasons(executor)).slice(-3)).toEqual(Array(3).fill('HTTP 404'));
  });

  test('requests the same port of a container on the host’s network', async () => {
    const { agent } = bench;
    const [port = 0] = await freePorts(1);
    await bench.start();
    agent.launch(
      taskOf('n', `httpd -f -p 127.0.0.1:${port} -h /tmp`, {
        options: ['--net', 'host'],
        health_check: { type: 'HTTP', http: { port, statuses: [404] }, ...QUICK, grace_period_seconds: 30 },
      }),
    );
    await healthUpdate('n', true);
  });
});

describe('a TCP check', () => {
  test.each(['127.0.0.1', 'the bridge’s address'])(
    'sees whether anything listens behind a port published on %s',
    async (where) => {
      const { agent } = bench;
      const address = where === '127.0.0.1' ? where : await new DockerEngine().networkGateway('bridge');
      const [udp = 0, unused = 0, port = 0] = await freePorts(3);
      const executor = await bench.start({ env: { MESOSUP_PUBLISH_ADDRESS: address ?? '' } });
      agent.launch(
        taskOf('p', `while [ ! -e /tmp/go ]; do sleep 0.1; done; httpd -p 9000 -h /tmp; ${IDLE}`, {
          image: WITH_PORTS,
          ports: [udp, unused, port].map((p) => [p, p]),
          health_check: { type: 'TCP', tcp: { port }, ...QUICK, consecutive_failures: 1000 },
        }),
      );
      await healthUpdate('p', false);
      await inContainer('echo > /tmp/go');
      await healthUpdate('p', true);
      expect((await reasons(executor))[0]).toMatch(/nothing listens|refused/);
    },
  );
});

test('continues after a killed worker: repeats no update, and counts earlier failures', async () => {
  const { agent } = bench;
  agent.acknowledges = false;
  const executor = await bench.start();
  const check = command('echo >> /proc/1/fd/1; test ! -e /tmp/sick', { consecutive_failures: 1 });
  agent.launch(taskOf('w', IDLE, { health_check: check }));
  const well = await healthUpdate('w', true);
  const worker = await executor.workerPid();
  process.kill(worker, 'SIGKILL');
  await gone(worker);
  const again = await agent.subscription(2);
  expect(again.unacknowledged_updates.map((u) => u.status)).toContainEqual(well);
  // Each check writes an empty line.
  const { length } = await executor.read('tasks/w/stdout');
  await executor.contains('tasks/w/stdout', new RegExp(`^\\n{${length + 5}}`));
  expect(healthOf('w')).toEqual([undefined, true]);
  for (const update of agent.updates) agent.acknowledge(update);
  agent.acknowledges = true;
  await inContainer('echo > /tmp/sick');
  expect(await agent.update('w', 'TASK_KILLED')).toMatchObject({ healthy: false });
  expect(healthOf('w')).toEqual([undefined, true, false]);
});

test('counts on after a killed worker, with the failures that are not acknowledged yet', async () => {
  const { agent } = bench;
  agent.acknowledges = false;
  const executor = await bench.start();
  agent.launch(taskOf('f', IDLE, { health_check: command('exit 1', { consecutive_failures: 1000 }) }));
  await healthUpdate('f', false, 3);
  const worker = await executor.workerPid();
  process.kill(worker, 'SIGKILL');
  await gone(worker);
  const again = await agent.subscription(2);
  const failures = again.unacknowledged_updates
    .map(({ status }) => status)
    .filter(({ healthy }) => healthy === false);
  expect(failures.length).toBeGreaterThan(2);
  const sent = failures.map(({ uuid }) => uuid);
  expect(new Set(sent).size).toBe(sent.length);
  agent.acknowledges = true;
  for (const status of failures) agent.acknowledge(status);
  const isNew = ({ healthy, uuid }: TaskStatus) => healthy === false && !sent.includes(uuid);
  await agent.until(() => agent.updates.filter(isNew)[1]);
});

test('does not report a task as unhealthy that ends by itself', async () => {
  const { agent } = bench;
  await bench.start();
  const [port = 0] = await freePorts(1);
  agent.launch(
    taskOf('e', `httpd -p 127.0.0.1:${port} -h /tmp; sleep 1; exit 0`, {
      options: ['--net', 'host'],
      health_check: {
        type: 'HTTP',
        http: { port, statuses: [404] },
        ...QUICK,
        interval_seconds: 0.01,
        grace_period_seconds: 60,
      },
    }),
  );
  await agent.update('e', 'TASK_FINISHED');
  expect(healthOf('e')).toEqual([undefined, true]);
});

test('continues HTTP checks without the Docker engine, and reports nothing for COMMAND checks', async () => {
  const { agent } = bench;
  const folder = await mkdtemp(path.join(tmpdir(), 'mesosup-engine-'));
  const proxy = new EngineProxy(path.join(folder, 'docker.sock'));
  await proxy.open();
  let status = 200;
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    server.emit('asked');
    response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const executor = await bench.start({ env: { DOCKER_HOST: `unix://${proxy.socket}` } });
    const http: HealthCheck = { type: 'HTTP', http: { port }, ...QUICK, consecutive_failures: 1000 };
    agent.launch(taskOf('http', IDLE, { ports: [[port, port]], health_check: http }));
    await healthUpdate('http', true);
    agent.launch(taskOf('cmd', IDLE, { health_check: command('true', { consecutive_failures: 1 }) }));
    await healthUpdate('cmd', true);
    await proxy.close();
    await executor.contains('executor.log', /(could not run(.*\n)*.*){3}/);
    for (const until = asked + 3; asked < until; ) await once(server, 'asked');
    expect([healthOf('http'), healthOf('cmd')]).toEqual(Array(2).fill([undefined, true]));
    status = 500;
    await healthUpdate('http', false);
    await proxy.open();
    status = 200;
    await healthUpdate('http', true, 2);
    expect(agent.statesOf('cmd')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_RUNNING']);
    await executor.end();
  } finally {
    await proxy.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
});
