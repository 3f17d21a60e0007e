import { expect, test } from 'vitest';
import { bareFacts, clusterOf, hostOf } from '../../../test/install/hosts.ts';
import type { Session } from './session.ts';
import { waitHealthy } from './wait-healthy.ts';

test('a wait ends if the state only alternates', async () => {
  let looks = 0;
  const facts = new Map([['h1', bareFacts('10.0.0.1')]]);
  const session = {
    cluster: clusterOf([hostOf('h1')]),
    screen: { silent: true, terminal: false, asks: false, note: () => {} },
    health: async () => ({ facts, unreachable: [] }),
  } as unknown as Session;
  const waiting = waitHealthy(session, {
    secrets: {} as never,
    hosts: ['h1'],
    patience: 1,
    signal: AbortSignal.timeout(20_000),
    missing: () => [++looks % 2 === 0 ? `h1: silent within 2.${looks} s` : 'h1: registry is not recovered'],
  });
  await expect(waiting).rejects.toThrow(/is not healthy, and nothing has changed for 1 s/);
  expect(looks).toBeGreaterThan(2);
});
