/** What the executor says of a task's start, networks and end, and how it stops a container. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeTaskData } from '../../../src/executor/task-data.ts';
import type { TaskInfo, TaskStatus } from '../../../src/mesos/types.ts';
import { freePorts } from '../../support/free-ports.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { executorBench } from '../support/executor-bench.ts';
import { containersOf, onlyContainerOf, taskOf } from '../support/executor-process.ts';
import { makeTaskImages, type TaskImage, taskImage } from '../support/task-images.ts';

const bench = executorBench();
beforeAll(() => makeTaskImages('fails', 'hungry', 'noentry', 'stopsignal', 'stubborn', 'web', 'zombies'));

/** A task that runs the program of one of the images. */
function taskFrom(id: string, name: TaskImage, more: Parameters<typeof taskOf>[2] = {}): TaskInfo {
  const { options = [], ...rest } = more;
  const docker = { image: taskImage(name), args: [], env: {}, options };
  return taskOf(id, '', { ...rest, data: encodeTaskData({ id: 'app', docker }) });
}

function labelOf({ labels }: TaskStatus, key: string): string | undefined {
  return labels?.labels.find((label) => label.key === key)?.value;
}

describe('the last update of a task tells', () => {
  test('its exit status and the last ten lines of stderr, without control characters', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskFrom('f', 'fails'));
    const { message, state } = await agent.update('f', 'TASK_FAILED');
    const lines = Array.from({ length: 9 }, (_, i) => `line ${i + 11}`);
    expect([state, message]).toEqual([
      'TASK_FAILED',
      ['Container exited with status 3. Last lines of stderr:', ...lines, 'no database'].join('\n'),
    ]);
  });

  test('the signal that ended it, with a terminal the last lines of its output', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskOf('s', 'echo words; kill -SEGV $$', { options: ['--init', '--tty'] }));
    expect((await agent.update('s', 'TASK_FAILED')).message).toBe(
      'Container exited with status 139 (SIGSEGV). Last lines of stderr:\nwords',
    );
  });

  test('that it was out of memory, and its limit', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskFrom('m', 'hungry', { mem: 16 }));
    expect(await agent.update('m', 'TASK_FAILED')).toMatchObject({
      message: 'Container exited with status 137 (SIGKILL), killed: out of memory (limit 16 MiB)',
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    });
  });

  test('in the words of Docker’s init process that its entry point is missing, and it was never running', async () => {
    const { agent } = bench;
    await bench.start();
    agent.launch(taskFrom('n', 'noentry'));
    expect((await agent.update('n', 'TASK_FAILED')).message).toMatch(
      /status 127.*exec \/no\/such\/program failed: No such file/s,
    );
    expect(agent.statesOf('n')).toEqual(['TASK_STARTING', 'TASK_FAILED']);
  });

  test('that another program stopped, killed or removed its container', async () => {
    const { agent, cluster } = bench;
    await bench.start();
    const end = async (id: string, task: TaskInfo, command: string[]) => {
      agent.launch(task);
      await agent.update(id, 'TASK_RUNNING');
      await execa('docker', [...command, (await onlyContainerOf(cluster)).Id]);
      return (await agent.update(id, 'TASK_FAILED')).message;
    };
    expect(await end('a', taskOf('a', 'sleep 600', { options: ['--init'] }), ['stop'])).toBe(
      'Container exited with status 143 (SIGTERM)',
    );
    expect(await end('b', taskOf('b', 'sleep 600'), ['kill'])).toBe(
      'Container exited with status 137 (SIGKILL)',
    );
    expect(await end('c', taskOf('c', 'sleep 600'), ['rm', '-f'])).toMatch(
      /(?:status 137 \(SIGKILL\) and was|The container was) removed by another program$/,
    );
  });
});

test('a container that ends before Docker can say that it runs was never running', async () => {
  const { agent } = bench;
  const folder = await mkdtemp(path.join(tmpdir(), 'mesosup-engine-'));
  const proxy = new EngineProxy(path.join(folder, 'docker.sock'));
  proxy.delayMs = 300;
  await proxy.open();
  try {
    const executor = await bench.start({ env: { DOCKER_HOST: `unix://${proxy.socket}` } });
    for (const [id, code] of [
      ['ok', 0],
      ['bad', 4],
    ] as const)
      agent.launch(taskOf(id, `exit ${code}`));
    await Promise.all([agent.update('ok', 'TASK_FINISHED'), agent.update('bad', 'TASK_FAILED')]);
    expect(agent.statesOf('ok')).toEqual(['TASK_STARTING', 'TASK_FINISHED']);
    expect(agent.statesOf('bad')).toEqual(['TASK_STARTING', 'TASK_FAILED']);
    await executor.end();
  } finally {
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
});

describe('TASK_RUNNING tells the networks of a container', () => {
  test('on the bridge, with its address and published ports', async () => {
    const { agent } = bench;
    const [port = 0] = await freePorts(1);
    await bench.start({ env: { MESOSUP_PUBLISH_ADDRESS: '127.0.0.1' } });
    agent.launch(taskFrom('w', 'web', { ports: [[port, port]] }));
    const status = await agent.update('w', 'TASK_RUNNING');
    const [network] = status.container_status?.network_infos ?? [];
    expect(network).toEqual({
      name: 'bridge',
      ip_addresses: [{ protocol: 'IPv4', ip_address: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/) }],
      port_mappings: [{ host_port: port, container_port: 80, protocol: 'tcp' }],
    });
    expect(labelOf(status, 'mesosup.networks')).toBe('bridge');
    expect(labelOf(status, 'mesosup.ports')).toBe(`${port}:80/tcp`);
    const address = network?.ip_addresses?.[0]?.ip_address;
    const texts = [`http://${address}/`, `http://127.0.0.1:${port}/`].map(async (url) => {
      for (;;) {
        const answer = await fetch(url).catch(() => undefined);
        if (answer?.ok) return await answer.text();
        await sleep(50);
      }
    });
    expect(await Promise.all(texts)).toEqual(['hello\n', 'hello\n']);
  });

  test('on the host, without a network, and on a network of the user', async () => {
    const { agent } = bench;
    await bench.start();
    const name = `mesosup-test-${process.pid}`;
    await execa('docker', ['network', 'create', '--subnet', '10.213.77.0/24', name]);
    try {
      const networksOf = async (network: string) => {
        const id = `on-${network}`;
        agent.launch(taskOf(id, 'sleep 600', { options: ['--network', network] }));
        const status = await agent.update(id, 'TASK_RUNNING');
        expect(labelOf(status, 'mesosup.networks')).toBe(network);
        return status.container_status?.network_infos;
      };
      expect(await networksOf('host')).toEqual([
        { name: 'host', ip_addresses: [{ protocol: 'IPv4', ip_address: '127.0.0.1' }] },
      ]);
      expect(await networksOf('none')).toEqual([{ name: 'none', ip_addresses: [] }]);
      expect(await networksOf(name)).toEqual([
        { name, ip_addresses: [{ protocol: 'IPv4', ip_address: '10.213.77.2' }] },
      ]);
      for (const network of ['host', 'none', name]) {
        agent.kill(`on-${network}`, 0);
        await agent.update(`on-${network}`, 'TASK_KILLED');
      }
      // The containers of ended tasks are removed shortly after their last update.
      while ((await containersOf(bench.cluster)).length > 0) await sleep(50);
    } finally {
      await execa('docker', ['network', 'rm', name], { reject: false });
    }
  });
});

describe('a kill', () => {
  test('sends the stop signal of the image, and SIGTERM without one', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskFrom('usr1', 'stopsignal'));
    agent.launch(taskOf('term', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'));
    for (const id of ['usr1', 'term']) await executor.contains(`tasks/${id}/stdout`, /ready/);
    agent.kill('usr1', 600);
    agent.kill('term', 600);
    expect((await agent.update('usr1', 'TASK_KILLED')).message).toBe(
      'Container exited with status 7 after a stop request',
    );
    expect((await agent.update('term', 'TASK_KILLED')).message).toMatch(/status 5 after/);
    expect(agent.statesOf('usr1')).toEqual(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
  });

  test('sends SIGKILL after the grace period, also of a part of a second', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskFrom('s', 'stubborn'));
    await executor.contains('tasks/s/stdout', /ready/);
    agent.kill('s', 0.4);
    const killed = await agent.update('s', 'TASK_KILLED');
    expect(killed.message).toBe('Container exited with status 137 (SIGKILL) after a stop request');
    expect(await executor.read('tasks/s/stdout')).toBe('ready\nignored\n');
  });

  test('with a shorter grace period takes the place of an earlier one, without a second stop signal', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskFrom('s', 'stubborn'));
    await executor.contains('tasks/s/stdout', /ready/);
    agent.kill('s', 600);
    await executor.contains('tasks/s/stdout', /ignored/);
    agent.kill('s', 0.2);
    await agent.update('s', 'TASK_KILLED');
    expect(await executor.read('tasks/s/stdout')).toBe('ready\nignored\n');
  });

  test('ends a paused container, which is running until then', async () => {
    const { agent, cluster } = bench;
    const executor = await bench.start();
    agent.launch(taskFrom('p', 'stopsignal'));
    await executor.contains('tasks/p/stdout', /ready/);
    await execa('docker', ['pause', (await onlyContainerOf(cluster)).Id]);
    agent.kill('p', 600);
    expect((await agent.update('p', 'TASK_KILLED')).message).toMatch(/status 7 after/);
  });

  test('ends a container that leaves zombies', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskFrom('z', 'zombies', { options: ['--init'] }));
    await executor.contains('tasks/z/stdout', /^20$/m);
    agent.kill('z', 600);
    expect((await agent.update('z', 'TASK_KILLED')).message).toMatch(/status 143 \(SIGTERM\) after/);
  });

  test('at any moment of a slow start leaves no container', async () => {
    const { agent, cluster } = bench;
    const folder = await mkdtemp(path.join(tmpdir(), 'mesosup-engine-'));
    const proxy = new EngineProxy(path.join(folder, 'docker.sock'));
    proxy.delayMs = 250;
    await proxy.open();
    try {
      const executor = await bench.start({ env: { DOCKER_HOST: `unix://${proxy.socket}` } });
      const ids = Array.from({ length: 10 }, (_, i) => `k${i}`);
      const killed = ids.map(async (id, i) => {
        agent.launch(taskOf(id, 'sleep 600', { options: ['--init'] }));
        await agent.update(id, 'TASK_STARTING');
        await sleep(i * 200);
        agent.kill(id, 600);
        await agent.update(id, 'TASK_KILLED');
      });
      await Promise.all(killed);
      while ((await containersOf(cluster)).length > 0) await sleep(50);
      for (const id of ids) expect(agent.statesOf(id).filter((s) => s === 'TASK_KILLED')).toHaveLength(1);
      await executor.end();
    } finally {
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
