/** What a container may have, and what a closed agent refuses, with a real engine. */

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { KNOWN_OPTIONS } from '../../../src/executor/domain/docker-options.ts';
import { admittedPlan } from '../../../src/executor/domain/policy.ts';
import { PLAN } from '../../executor/plan.ts';
import { BUSYBOX } from '../support/busybox-image.ts';
import { executorBench } from '../support/executor-bench.ts';
import { onlyContainerOf, taskOf } from '../support/executor-process.ts';

const bench = executorBench();

const HOSTILE = [
  `$(touch /tmp/x)`,
  '`reboot`',
  "'; rm -rf /; '",
  '--privileged',
  'two\nlines\n',
  '../..',
  ' "é\\',
];

interface Everything {
  Config: { Labels: Record<string, string>; User: string; WorkingDir: string };
  HostConfig: Record<string, unknown>;
}

test('a container has the limits, defaults, labels and variables of its task, byte for byte', async () => {
  const { agent, cluster } = bench;
  const executor = await bench.start();
  const texts = HOSTILE.map((text, i) => [`name.${i}.${text.replaceAll(/[=\s]/g, '')}`, text] as const);
  const options = [
    '--user',
    '7:8',
    '--workdir=/tmp',
    '--ulimit=nofile=100:200',
    '--shm-size=1m',
    '--tmpfs=/t',
  ];
  const task = taskOf('all', 'cat /proc/1/comm; env; sleep 600', {
    env: Object.fromEntries(HOSTILE.map((text, i) => [`V${i}`, text])),
    options,
    labels: {
      labels: [...texts, ['mesosup.task', 'other'] as const].map(([key, value]) => ({ key, value })),
    },
  });
  agent.launch({
    ...task,
    resources: [...task.resources, { name: 'disk', type: 'SCALAR', scalar: { value: 64 } }],
  });
  await agent.update('all', 'TASK_RUNNING');
  const { Config, HostConfig } = (await onlyContainerOf(cluster)) as unknown as Everything;
  expect(Config).toMatchObject({ User: '7:8', WorkingDir: '/tmp' });
  expect(HostConfig).toMatchObject({
    Init: true,
    Memory: 32 * 1024 * 1024,
    MemorySwap: 32 * 1024 * 1024,
    NanoCpus: 0,
    ShmSize: 1024 * 1024,
    Tmpfs: { '/t': '' },
    Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
    LogConfig: { Type: 'json-file', Config: { 'max-size': '20m', 'max-file': '5' } },
  });
  for (const [key, value] of texts) expect(Config.Labels[key]).toBe(value);
  expect(Config.Labels).toMatchObject({ 'mesosup.task': 'all', 'app.mesosup.task': 'other' });
  await executor.contains('tasks/all/stdout', /^docker-init\n.*V4=two\nlines\n/s);
  const output = await executor.read('tasks/all/stdout');
  for (const [i, text] of HOSTILE.entries()) expect(output).toContain(`V${i}=${text}\n`);
  // Only some storage drivers can limit the size.
  const isNoted = /disk limit of the task is not enforced on this agent: .*storage-opt/.test(
    await executor.read('tasks/all/stderr'),
  );
  const isLimited = JSON.stringify(HostConfig.StorageOpt ?? {}).includes('size');
  expect(isNoted).toBe(!isLimited);
});

test('a CPU quota, and no init process, on demand', async () => {
  const { agent, cluster } = bench;
  await bench.start();
  const task = taskOf('quota', 'sleep 600', { options: ['--init=false', '--log-driver=local'] });
  const data = JSON.parse(Buffer.from(task.data ?? '', 'base64').toString());
  data.docker.cpuQuota = true;
  agent.launch({ ...task, data: Buffer.from(JSON.stringify(data)).toString('base64') });
  await agent.update('quota', 'TASK_RUNNING');
  const { HostConfig } = (await onlyContainerOf(cluster)) as unknown as Everything;
  expect(HostConfig).toMatchObject({ NanoCpus: 5e8, LogConfig: { Type: 'local', Config: {} } });
  expect(HostConfig.Init).toBe(false);
});

test('a task with GPUs on an agent without a runtime for them fails with the remedy', async () => {
  const { agent } = bench;
  await bench.start();
  const task = taskOf('gpu', 'true');
  const gpus = { name: 'gpus', type: 'SCALAR', scalar: { value: 1 } } as const;
  agent.launch({ ...task, resources: [...task.resources, gpus] });
  expect((await agent.update('gpu', 'TASK_FAILED')).message).toMatch(/has no runtime for GPUs: install/);
});

describe('a closed agent', () => {
  test('refuses tasks at once, follows no link out of what it allows, and mounts the checked path', async () => {
    const { agent, cluster, dist } = bench;
    const [file, allowed] = [path.join(dist, 'executor.json'), path.join(dist, 'allowed')];
    await mkdir(path.join(allowed, 'real'), { recursive: true });
    await symlink('/etc', path.join(allowed, 'out'));
    await symlink('real', path.join(allowed, 'in'));
    await writeFile(path.join(allowed, 'real', 'file'), 'content');
    await writeFile(file, JSON.stringify({ allowedHostPaths: [{ path: allowed }] }));
    await bench.start({ env: { MESOSUP_EXECUTOR_CONFIG: file } });
    const refused: [string, string[], RegExp][] = [
      ['p', ['--privileged=true'], /allowPrivileged/],
      ['v', ['-itv/:/x'], /allowedHostPaths/],
      ['l', [`--volume=${allowed}/out:/x`], /out", which is \/etc, \(allowedHostPaths\)/],
      ['n', ['--net=host'], /allowedNetworks/],
      ['d', ['--pid=host'], /parameter "pid" \(allowedParameters\): forbidden by .*executor.json/],
    ];
    for (const [id, options] of refused) agent.launch(taskOf(id, 'true', { options }));
    for (const [id, , message] of refused) {
      expect(await agent.update(id, 'TASK_ERROR')).toMatchObject({
        message: expect.stringMatching(message),
        reason: 'REASON_TASK_INVALID',
      });
    }
    agent.launch(taskOf('good', 'cat /x/file; sleep 600', { options: ['-v', `${allowed}/in:/x`] }));
    await agent.update('good', 'TASK_RUNNING');
    const { HostConfig } = (await onlyContainerOf(cluster)) as unknown as Everything;
    expect(HostConfig.Binds).toEqual([`${allowed}/real:/x`]);
    await writeFile(file, '{"allowPrivileged": 1');
    agent.launch(taskOf('invalid', 'true'));
    expect((await agent.update('invalid', 'TASK_ERROR')).message).toMatch(
      /executor.json on this agent: is not valid/,
    );
  });

  test('knows every option of the installed docker program', async () => {
    const { stdout } = await execa('docker', ['create', '--help']);
    const names = [...stdout.matchAll(/^\s+(?:-\w, )?--([a-z0-9-]+)/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(80);
    expect(names.filter((name = '') => !KNOWN_OPTIONS.includes(name))).toEqual([]);
  });

  test('lets only options through with which the docker program opens nothing', async () => {
    const values = ['true', 'host', '/:/x', 'type=bind,src=/,dst=/x', '/dev/null', 'ALL', '1'];
    const words = KNOWN_OPTIONS.flatMap((name) => [
      ...values.map((value) => [`--${name}=${value}`]),
      [`--${name}`, '--privileged'],
      [`--${name}`, '-v/:/x'],
    ]);
    const policy = { file: 'executor.json', policy: { allowPrivileged: false } };
    const sources = { paths: new Map([['/', '/']]), volumes: new Map<string, string>() };
    const admitted = words.flatMap((options) => {
      try {
        return [admittedPlan({ ...PLAN, options }, policy, sources).options];
      } catch {
        return [];
      }
    });
    expect(admitted.length).toBeGreaterThan(100);
    const label = `mesosup.cluster=${bench.cluster}`;
    // Those that go together in one command.
    const together = /^--(?:(?:init|rm|tty|read-only|interactive)=true|(?:env|label)=.*)$/;
    const created = [...new Set(admitted.flat())].filter((word) => together.test(word));
    await execa('docker', ['create', ...created, '--label', label, BUSYBOX, 'true']);
    const { HostConfig } = (await onlyContainerOf(bench.cluster)) as unknown as Everything;
    expect(HostConfig).toMatchObject({ Privileged: false, Binds: null, PidMode: '', IpcMode: 'private' });
    expect(HostConfig.CapAdd ?? null).toBeNull();
  });
});
