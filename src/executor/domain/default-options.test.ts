import { describe, expect, test } from 'vitest';
import { PLAN } from '../../../test/executor/plan.ts';
import { type DockerFeatures, defaultOptions, diskOption, startFailure } from './default-options.ts';
import type { AgentPolicy } from './policy.ts';
import type { ContainerPlan } from './task-plan.ts';

const DOCKER: DockerFeatures = { hasInit: true, logDriver: 'json-file', cpus: 4 };
const ROTATION = ['--log-opt=max-size=20m', '--log-opt=max-file=5'];

function words(plan: Partial<ContainerPlan>, policy: AgentPolicy = {}, docker = DOCKER): string[] {
  return defaultOptions({ ...PLAN, ...plan }, policy, docker).words;
}

test('a container has an init process and bounded log files', () => {
  expect(words({})).toEqual(['--init=true', ...ROTATION]);
});

test('limits come from the resources, with swap off', () => {
  const limits = { cpus: 0.5, memoryBytes: 1024, gpus: 2 };
  expect(words(limits).slice(0, 4)).toEqual([
    '--cpu-shares=512',
    '--memory=1024',
    '--memory-swap=1024',
    '--gpus=2',
  ]);
  expect(words({ cpus: 0.001 })[0]).toBe('--cpu-shares=2');
  expect(words(limits, { defaults: { swap: true } })).not.toContain('--memory-swap=1024');
});

describe('the CPU quota', () => {
  test.each([
    [{ cpuQuota: true }, {}, true],
    [{ cpuQuota: false }, { cpuQuota: true }, false],
    [{}, { cpuQuota: true }, true],
    [{}, {}, false],
    [{ cpuQuota: true, options: ['--cpus=3'] }, {}, false],
    [{ cpuQuota: true, options: ['--cpu-quota=3'] }, {}, false],
  ])('of %j with the policy %j is set: %s', (plan, policy, expected) => {
    expect(words({ cpus: 0.5, ...plan }, policy).includes('--cpus=0.5')).toBe(expected);
  });

  test('stays within what Docker accepts', () => {
    expect(words({ cpus: 0.001, cpuQuota: true })).toContain('--cpus=0.01');
    expect(words({ cpus: 64, cpuQuota: true })).toContain('--cpus=4');
    expect(words({ cpus: 0, cpuQuota: true }).join()).not.toContain('--cpus');
  });
});

describe('the init process', () => {
  test.each([
    [['--init=false'], {}, DOCKER],
    [['--init=true'], {}, DOCKER],
    [[], { defaults: { init: false } }, DOCKER],
    [[], {}, { ...DOCKER, hasInit: false }],
    [['--init=true', '--init=false'], {}, { ...DOCKER, hasInit: false }],
  ])('is not added with the options %j, the policy %j and Docker %j', (options, policy, docker) => {
    expect(words({ options }, policy, docker)).not.toContain('--init=true');
  });

  test('is an error of the task if it asks for one that Docker does not have', () => {
    expect(() => words({ options: ['--init=true'] }, {}, { ...DOCKER, hasInit: false })).toThrow(
      'has no docker-init',
    );
  });
});

describe('the log', () => {
  const log = (plan: Partial<ContainerPlan>, policy?: AgentPolicy, docker?: DockerFeatures) =>
    words(plan, policy, docker).filter((word) => word.startsWith('--log'));

  test('keeps what the task or the configuration of Docker chooses', () => {
    expect(log({ options: ['--log-driver=none'] })).toEqual([]);
    expect(log({ options: ['--log-opt=max-size=1g'] })).toEqual([]);
    expect(log({}, {}, { ...DOCKER, logDriver: 'journald' })).toEqual([]);
  });

  test('follows the policy', () => {
    const policy = { defaults: { log: { options: { 'max-size': '1m', labels: 'a' } } } };
    expect(log({}, policy)).toEqual(['--log-opt=max-size=1m', '--log-opt=max-file=5', '--log-opt=labels=a']);
    expect(log({}, { defaults: { log: { driver: 'local' } } })).toEqual(['--log-driver=local']);
    const driver = { defaults: { log: { driver: 'json-file' } } };
    expect(log({}, driver, { ...DOCKER, logDriver: 'journald' })).toEqual([
      '--log-driver=json-file',
      ...ROTATION,
    ]);
  });
});

test('defaults and limits of the policy apply to containers that choose nothing', () => {
  const ulimits = [{ name: 'nofile', soft: 10, hard: 20 }];
  const more = (policy: AgentPolicy) => words({}, policy).slice(3);
  expect(more({ defaults: { pidsLimit: 5, shmSize: 2, ulimits } })).toEqual([
    '--pids-limit=5',
    '--shm-size=2097152',
    '--ulimit=nofile=10:20',
  ]);
  expect(
    more({ limits: { pidsLimit: 9, ulimits: [{ name: 'nproc', hard: 7 }] }, defaults: { ulimits } }),
  ).toEqual(['--pids-limit=9', '--ulimit=nproc=7:7', '--ulimit=nofile=10:20']);
});

test('labels of the task are labels of the container, and never those of mesosup', () => {
  const labels = [
    ['traefik.enable', 'true'],
    ['$(x)', 'a=b\n'],
    ['two\nlines', ''],
    ['a name', ''],
    ['mesosup.task', 'other'],
    ['', 'x'],
    ['a=b', 'x'],
    ['nul', '\0'],
    ['big', 'x'.repeat(200_000)],
  ] as const;
  const { words: all, notes } = defaultOptions({ ...PLAN, labels: [...labels] }, {}, DOCKER);
  expect(all.filter((word) => word.startsWith('--label'))).toEqual([
    '--label=traefik.enable=true',
    '--label=$(x)=a=b\n',
    '--label=app.mesosup.task=other',
  ]);
  expect(notes.map((note) => /label (".*?") is not set/.exec(note)?.[1])).toEqual([
    '"two\\nlines"',
    '"a name"',
    '""',
    '"a=b"',
    '"nul"',
    '"big"',
  ]);
});

test('the disk limit is an option, unless the task has one', () => {
  expect(diskOption({ ...PLAN, diskMiB: 64 })).toBe('--storage-opt=size=64M');
  expect(diskOption(PLAN)).toBeUndefined();
  expect(diskOption({ ...PLAN, diskMiB: 64, options: ['--storage-opt=size=1G'] })).toBeUndefined();
});

test('a missing runtime for GPUs has a remedy', () => {
  const message = 'could not select device driver "" with capabilities: [[gpu]]';
  expect(startFailure(message)).toMatch(/has no runtime for GPUs: install/);
  expect(startFailure('other')).toBe('other');
});
