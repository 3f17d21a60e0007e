import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { encodeTaskData } from '../../../src/executor/task-data.ts';
import { freePorts } from '../../support/free-ports.ts';
import { BUSYBOX, WITH_PORTS } from '../support/busybox-image.ts';
import { executorBench } from '../support/executor-bench.ts';
import { containersOf, FRAMEWORK, onlyContainerOf, taskOf } from '../support/executor-process.ts';

const bench = executorBench();

/** Runs until SIGTERM, and then exits with this status. */
const untilStopped = (status: number) => `trap "exit ${status}" TERM; echo up; while :; do sleep 0.1; done`;

describe('a task', () => {
  test('starts, runs and finishes, with its output in the sandbox', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(
      taskOf(
        'app_1',
        `echo out; echo err >&2; until [ -e $MESOS_SANDBOX/go ]; do sleep 0.05; done; echo "end $GREETING"`,
        {
          env: { GREETING: 'hello' },
        },
      ),
    );
    const running = await agent.update('app_1', 'TASK_RUNNING');
    await writeFile(path.join(executor.sandbox, 'tasks/app_1/sandbox/go'), '');
    await agent.update('app_1', 'TASK_FINISHED');
    expect(agent.statesOf('app_1')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    expect(running.container_status?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address).toMatch(
      /^\d+\.\d+\.\d+\.\d+$/,
    );
    expect(await executor.read('tasks/app_1/stdout')).toBe('out\nend hello\n');
    expect(await executor.read('tasks/app_1/stderr')).toBe('err\n');
    const operations = (await executor.log()).filter((line) => line.op !== undefined);
    expect(operations.map((line) => [line.op, line.task])).toEqual([
      ['create', 'app_1'],
      ['start', 'app_1'],
    ]);
    for (const { start, end } of operations) expect(Number(end)).toBeGreaterThan(Number(start));
  });

  test('that fails is reported with its exit status', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskOf('bad', 'exit 3'));
    const failed = await agent.update('bad', 'TASK_FAILED');
    expect(failed.message).toBe('Container exited with status 3');
  });

  test('that exceeds its memory limit is killed, with this reason', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(
      taskOf('big', 'x=$(dd if=/dev/zero bs=1M count=300 2>/dev/null | tr "\\0" a); echo "$x"', {
        mem: 16,
      }),
    );
    const failed = await agent.update('big', 'TASK_FAILED');
    expect(failed.message).toBe(
      'Container exited with status 137 (SIGKILL), killed: out of memory (limit 16 MiB)',
    );
    expect(failed.reason).toBe('REASON_CONTAINER_LIMITATION_MEMORY');
  });

  test('fails if its container is killed or removed from outside', async () => {
    const { agent, cluster } = bench;
    await bench.start();
    agent.launch(taskOf('killed', 'sleep 600'));
    await agent.update('killed', 'TASK_RUNNING');
    await execa('docker', ['kill', ...(await containersOf(cluster))]);
    expect((await agent.update('killed', 'TASK_FAILED')).message).toBe(
      'Container exited with status 137 (SIGKILL)',
    );
    agent.launch(taskOf('removed', 'sleep 600'));
    await agent.update('removed', 'TASK_RUNNING');
    await execa('docker', ['rm', '-f', (await onlyContainerOf(cluster)).Id]);
    expect((await agent.update('removed', 'TASK_FAILED')).message).toMatch(/removed by another program/);
  });

  test('whose program is not in the image fails with the message of the init process', async () => {
    const { agent } = bench;
    await bench.start();
    const data = encodeTaskData({
      id: 'app',
      docker: { image: BUSYBOX, args: ['/nothing'], env: {}, options: [] },
    });
    agent.launch(taskOf('nothing', '', { data }));
    const failed = await agent.update('nothing', 'TASK_FAILED');
    expect(failed.message).toMatch(/status 127.*exec \/nothing failed: No such file/s);
    // Docker has started the init process by then, so the task may be seen running.
    const states = agent.statesOf('nothing').filter((state) => state !== 'TASK_RUNNING');
    expect(states).toEqual(['TASK_STARTING', 'TASK_FAILED']);
  });

  test('gets its options unchanged, and fails with the docker program’s message for an unknown option', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('good', 'hostname; sleep 600', { options: ['--hostname', 'named'] }));
    await agent.update('good', 'TASK_RUNNING');
    await executor.contains('tasks/good/stdout', /named/);
    agent.launch(taskOf('bad', 'true', { options: ['--no-such-option'] }));
    expect((await agent.update('bad', 'TASK_FAILED')).message).toBe(
      "The container can't be created: unknown flag: --no-such-option",
    );
    expect(await containersOf(cluster)).toHaveLength(1);
  });

  test('reports its exit status even with the option --rm', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskOf('rm', 'exit 4', { options: ['--rm'] }));
    expect((await agent.update('rm', 'TASK_FAILED')).message).toMatch(/^Container exited with status 4\b/);
  });

  test('has its limits and labels, and its ports mapped to the exposed ports of the image', async () => {
    const { agent, cluster } = bench;
    const [first = 0, second = 0] = await freePorts(2);
    const ports = [first, second] as const;
    const executor = await bench.start({ env: { MESOSUP_PUBLISH_ADDRESS: '127.0.0.1' } });
    agent.launch(
      taskOf('ports', 'sleep 600', {
        image: WITH_PORTS,
        mem: 48,
        ports: ports.map((port) => [port, port]),
      }),
    );
    await agent.update('ports', 'TASK_RUNNING');
    const { HostConfig, Config } = await onlyContainerOf(cluster);
    expect(HostConfig.PortBindings).toEqual({
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: String(ports[0]) }],
      '7000/tcp': [{ HostIp: '127.0.0.1', HostPort: String(ports[1]) }],
    });
    expect(HostConfig).toMatchObject({ CpuShares: 512, Memory: 48 * 1024 * 1024 });
    expect(Config.Labels).toMatchObject({
      'mesosup.cluster': cluster,
      'mesosup.framework': FRAMEWORK,
      'mesosup.agent': 'agent-S0',
      'mesosup.executor': 'docker',
      'mesosup.task': 'ports',
      'mesosup.sandbox': executor.sandbox,
      'mesosup.run': executor.sandbox.split('/').at(-1),
    });
    expect(await executor.read('tasks/ports/stderr')).toMatch(/warning: the image exposes 9000\/tcp/);
  });

  test('gets each value of its environment unchanged, and leaves no file with the values', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start({ env: { MESOS_EXECUTOR_AUTHENTICATION_TOKEN: 'bearer-secret' } });
    const env = {
      PLAIN: 'a b  c ',
      QUOTED: `"it's" $HOME #no`,
      LINES: 'first\nsecond\n',
      CR: 'ends with\r',
      EMPTY: '',
      PATH: '/bin:/own',
      LONG: 'x'.repeat(70_000),
    };
    agent.launch(taskOf('env', 'sleep 600', { env }));
    await agent.update('env', 'TASK_RUNNING');
    const got = (await onlyContainerOf(cluster)).Config.Env;
    expect(
      Object.fromEntries(got.map((e) => [e.slice(0, e.indexOf('=')), e.slice(e.indexOf('=') + 1)])),
    ).toEqual({ ...env, MESOS_SANDBOX: '/mnt/mesos/sandbox' });
    expect(agent.authorization).toBe('Bearer bearer-secret');
    expect((await readdir(executor.sandbox)).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await executor.read('executor.log')).not.toContain('second');
  });

  test('may have an id that is not a valid file name', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('../a/b', 'echo inside'));
    await agent.update('../a/b', 'TASK_FINISHED');
    expect(await executor.read('tasks/%2E.%2Fa%2Fb/stdout')).toBe('inside\n');
  });

  test('without usable data is an error of the task', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskOf('empty', '', { data: encodeTaskData({ id: 'app' }) }));
    const update = await agent.update('empty', 'TASK_ERROR');
    expect(update).toMatchObject({
      reason: 'REASON_TASK_INVALID',
      message: expect.stringContaining('has no image'),
    });
  });
});

describe('killing', () => {
  test('a running task stops it with TASK_KILLING before TASK_KILLED', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('k', untilStopped(0)));
    await agent.update('k', 'TASK_RUNNING');
    await executor.contains('tasks/k/stdout', /up/);
    agent.kill('k', 60);
    const killed = await agent.update('k', 'TASK_KILLED');
    expect(killed.message).toBe('Container exited with status 0 after a stop request');
    expect(agent.statesOf('k')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
    agent.send({ type: 'SHUTDOWN' });
    await executor.exited;
    expect(await containersOf(cluster)).toEqual([]);
  });

  test('again with a shorter grace period applies it, and sends no TASK_KILLING to a framework without this capability', async () => {
    const { agent } = bench;
    agent.capabilities = [];
    const executor = await bench.start();
    agent.launch(taskOf('deaf', 'trap "" TERM; echo up; while :; do sleep 0.1; done'));
    await agent.update('deaf', 'TASK_RUNNING');
    await executor.contains('tasks/deaf/stdout', /up/);
    agent.kill('deaf', 3600);
    agent.kill('deaf', 0);
    expect((await agent.update('deaf', 'TASK_KILLED')).message).toContain('status 137');
    expect(agent.statesOf('deaf')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
  });

  test('during the pull of the image ends the pull, and creates no container', async () => {
    const { agent, cluster } = bench;
    const registry = createServer();
    const asked = new Promise<void>((resolve) => registry.once('request', () => resolve()));
    registry.listen(0, '127.0.0.1');
    const executor = await bench.start();
    const { port } = registry.address() as AddressInfo;
    agent.launch(taskOf('p', '', { image: `127.0.0.1:${port}/never` }));
    await asked;
    agent.kill('p');
    await agent.update('p', 'TASK_KILLED');
    registry.closeAllConnections();
    registry.close();
    expect(agent.statesOf('p')).toEqual(['TASK_STARTING', 'TASK_KILLED']);
    expect(await containersOf(cluster)).toEqual([]);
    expect(await executor.read('tasks/p/stderr')).toMatch(/^Pulling 127/);
  });

  test('the executor (SHUTDOWN) ends all tasks in time, removes their containers and exits', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('s1', untilStopped(0)));
    agent.launch(
      taskOf('s2', 'trap "" TERM; while :; do sleep 0.1; done', {
        kill_policy: { grace_period: { nanoseconds: 1e9 } },
      }),
    );
    await agent.update('s1', 'TASK_RUNNING');
    await agent.update('s2', 'TASK_RUNNING');
    agent.send({ type: 'SHUTDOWN' });
    await agent.update('s1', 'TASK_KILLED');
    await agent.update('s2', 'TASK_KILLED');
    expect(await executor.exited).toEqual([0, null]);
    expect(await containersOf(cluster)).toEqual([]);
  });

  test('the supervisor with SIGTERM does the same', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('t', 'sleep 600'));
    await agent.update('t', 'TASK_RUNNING');
    executor.supervisor.kill('SIGTERM');
    await agent.update('t', 'TASK_KILLED');
    expect(await executor.exited).toEqual([0, null]);
    expect(await containersOf(cluster)).toEqual([]);
  });
});

describe('an image that can not be pulled', () => {
  test('fails the task with the reason', async () => {
    const { agent } = bench;
    const registry = createServer((_request, response) => {
      response.writeHead(404, { 'Content-Type': 'application/json' });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    });
    registry.listen(0, '127.0.0.1');
    await bench.start();
    const image = `127.0.0.1:${(registry.address() as AddressInfo).port}/absent:2`;
    agent.launch(taskOf('absent', '', { image }));
    const failed = await agent.update('absent', 'TASK_FAILED');
    registry.close();
    expect(failed.message).toMatch(
      new RegExp(`^Image ${image} can't be pulled: .*not found|manifest unknown`),
    );
  });
});

describe('the executor', () => {
  test('repeats a refused update with a new uuid', async () => {
    const { agent } = bench;
    agent.refusals = 2;
    const executor = await bench.start();
    agent.launch(taskOf('r', '', { data: encodeTaskData({ id: 'app' }) }));
    await agent.update('r', 'TASK_ERROR');
    expect(agent.refusals).toBe(0);
    const refused = (await executor.log()).filter((line) => line.msg === 'an update was not accepted');
    expect(refused).toHaveLength(2);
  });

  test('exits after some time without tasks', async () => {
    const executor = await bench.start({ env: { MESOSUP_EXECUTOR_IDLE_TIMEOUT: '0.3' } });
    expect(await executor.exited).toEqual([0, null]);
  });

  test('reports missing environment variables, and is not restarted', async () => {
    const { dist } = bench;
    const { exitCode, stderr } = await execa(`${dist}/executors/docker`, ['image'], {
      reject: false,
      extendEnv: false,
      env: { MESOS_EXECUTOR_ID: 'x' },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('MESOS_AGENT_ENDPOINT is not set');
  });
});

describe('the 2013 form', () => {
  test('takes image and arguments from its command line, inherits its environment, and exits after its task', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start({
      argv: [BUSYBOX, '/bin/sh', '-c', 'echo "$FOO $PORT0 $PATH"; echo err >&2; env | grep -c MESOS; exit 0'],
      env: {
        FOO: 'process',
        PORT0: '31000',
        PATH: process.env.PATH ?? '',
        MESOS_EXECUTOR_AUTHENTICATION_TOKEN: 't',
      },
    });
    agent.launch(taskOf('old_1', '', { data: encodeTaskData({ id: 'old', env: { FOO: 'app' } }) }));
    await agent.update('old_1', 'TASK_FINISHED');
    expect(await executor.exited).toEqual([0, null]);
    expect(await executor.read('stdout')).toMatch(/^app 31000 \/.*\n1\n$/);
    expect(await executor.read('stderr')).toBe('err\n');
    expect(await containersOf(cluster)).toEqual([]);
  });

  test('takes image and options from the app if it has them; then all words are arguments', async () => {
    const { agent } = bench;
    const executor = await bench.start({ argv: ['/bin/sh', '-c', 'hostname'] });
    const container = { image: `docker:///${BUSYBOX}`, options: ['-h', 'old-host'] };
    agent.acknowledges = false;
    agent.launch(taskOf('old_2', '', { data: encodeTaskData({ id: 'old', container }) }));
    agent.acknowledge(await agent.update('old_2', 'TASK_STARTING'));
    const finished = await agent.update('old_2', 'TASK_FINISHED');
    expect(await executor.read('stdout')).toBe('old-host\n');
    expect(executor.supervisor.exitCode).toBeNull();
    for (const update of agent.updates.filter((u) => u !== finished)) agent.acknowledge(update);
    agent.acknowledge(finished);
    expect(await executor.exited).toEqual([0, null]);
  });
});
