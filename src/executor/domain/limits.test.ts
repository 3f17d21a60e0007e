import { expect, test } from 'vitest';
import { limitProblem } from './limits.ts';

const LIMITS = { pidsLimit: 100, shmSize: 64, ulimits: [{ name: 'nofile', hard: 1000 }] };

test.each([
  ['pids-limit', '100'],
  ['shm-size', '64m'],
  ['shm-size', '67108864'],
  ['shm-size', '0'],
  ['ulimit', 'nofile=1000'],
  ['ulimit', 'nofile=10:1000'],
  ['ulimit', 'core=-1'],
  ['memory', '1t'],
])('%s %s is within the limits', (name, value) => {
  expect(limitProblem({ name, value }, LIMITS)).toBeUndefined();
});

test.each([
  ['pids-limit', '101'],
  ['pids-limit', '-1'],
  ['pids-limit', '0'],
  ['pids-limit', '00'],
  ['pids-limit', ''],
  ['pids-limit', '1e9'],
  ['shm-size', '65m'],
  ['shm-size', '1g'],
  ['shm-size', '0.1g'],
  ['shm-size', '67108865'],
  ['ulimit', 'nofile=1001'],
  ['ulimit', 'nofile=10:1001'],
  ['ulimit', 'nofile=-1'],
  ['ulimit', 'nofile=10:-1'],
  ['ulimit', 'nofile=1001:10'],
  ['ulimit', 'nofile=10:20:30'],
])('%s "%s" is above the limits', (name, value) => {
  expect(limitProblem({ name, value }, LIMITS)).toContain(`"${value}" of the container is above`);
  expect(limitProblem({ name, value }, {})).toBeUndefined();
});
