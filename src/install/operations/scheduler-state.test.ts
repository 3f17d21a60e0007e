import { expect, test } from 'vitest';
import { parseSpec } from '../../cluster/spec.ts';
import { schedulerState } from './scheduler-state.ts';
import type { Session } from './session.ts';

test('a scheduler that can not be reached is an error, and not a cluster without a scheduler', async () => {
  const read = parseSpec('hosts: [a, b]', 'cluster.yaml');
  if (!read.ok) throw new Error('the spec is wrong');
  const session = { cluster: read.value } as Session;
  await expect(schedulerState(session, new Map())).rejects.toThrow("a can't be reached");
});
