import { expect, it } from 'vitest';
import { agentFlagsOf, answeredAgent, findLacks, type KnownAgent, mustAsk, showsLack } from './agents.ts';

const answered = (flags: Record<string, string>): KnownAgent => ({
  askedAt: 0,
  answered: true,
  flags: agentFlagsOf({ flags }),
});

const ABLE = {
  containerizers: 'docker,mesos',
  image_providers: 'appc, DOCKER',
  isolation: 'filesystem/linux,docker/runtime',
  launcher: 'linux',
};

it('finds no lack on an agent with all flags, an unknown one, and one whose flags can’t be read', () => {
  for (const agent of [answered(ABLE), undefined, { askedAt: 0, answered: true }]) {
    expect(findLacks(agent, 'docker')).toEqual([]);
    expect(findLacks(agent, 'mesos')).toEqual([]);
  }
});

it('names the flags that an agent lacks, and the flags that are being read', () => {
  const plain = answered({ containerizers: 'mesos', isolation: 'posix/cpu,posix/mem' });
  expect(findLacks(plain, 'docker')).toEqual([
    'docker needed in --containerizers of the agent, which is mesos',
  ]);
  expect(findLacks(plain, 'mesos')).toEqual([
    'docker needed in --image_providers of the agent, which is not set',
    'docker/runtime needed in --isolation of the agent, which is posix/cpu,posix/mem',
  ]);
  expect(findLacks({ askedAt: 0, answered: false }, 'mesos')).toEqual([
    'the flags of the agent are being read',
  ]);
});

it.each([
  undefined,
  null,
  'x',
  {},
  { flags: [] },
  { flags: { isolation: 'x' } },
  { flags: { containerizers: 1 } },
])('reads no flags from %j', (answer) => {
  expect(agentFlagsOf(answer)).toBeUndefined();
});

it('remembers a failure for five minutes, unless the flags can be read', () => {
  const failed = { containerizer: 'docker', at: 1000 } as const;
  const agent: KnownAgent = { askedAt: 0, answered: true, failed };
  expect(findLacks(agent, 'docker')).toEqual([expect.stringMatching(/for lack of the containerizer/)]);
  expect(findLacks(agent, 'mesos')).toEqual([]);
  expect(answeredAgent(agent, undefined, 300_999)).toEqual(agent);
  expect(answeredAgent(agent, undefined, 301_000)).toEqual({ askedAt: 0, answered: true });
  const flags = agentFlagsOf({ flags: ABLE });
  expect(answeredAgent(agent, flags, 1001)).toEqual({ askedAt: 0, answered: true, flags });
  expect(answeredAgent(undefined, flags, 5)).toEqual({ askedAt: 5, answered: true, flags });
});

it.each([
  ['TASK_FAILED', 'Abnormal executor termination: unknown container', true],
  ['TASK_FAILED', 'Failed to launch container: Unsupported container image type: DOCKER', true],
  ['TASK_FAILED', 'Container exited with status 1', false],
  ['TASK_FAILED', undefined, false],
  ['TASK_KILLED', 'Abnormal executor termination: unknown container', false],
] as const)('takes %s with the message %j for a lack of the agent: %j', (state, message, expected) => {
  expect(showsLack({ state, ...(message !== undefined && { message }) })).toBe(expected);
});

it('asks an agent again after a minute', () => {
  expect(mustAsk(undefined, 0)).toBe(true);
  expect(mustAsk({ askedAt: 1000, answered: false }, 60_999)).toBe(false);
  expect(mustAsk({ askedAt: 1000, answered: true }, 61_000)).toBe(true);
});
