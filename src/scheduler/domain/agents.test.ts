import { expect, it } from 'vitest';
import { agentFlagsOf, findLacks, type KnownAgent, mustAsk } from './agents.ts';

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

it('asks an agent again after a minute', () => {
  expect(mustAsk(undefined, 0)).toBe(true);
  expect(mustAsk({ askedAt: 1000, answered: false }, 60_999)).toBe(false);
  expect(mustAsk({ askedAt: 1000, answered: true }, 61_000)).toBe(true);
});
