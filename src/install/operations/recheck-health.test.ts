import { expect, test } from 'vitest';
import { bareFacts, serviceFacts } from '../../../test/install/hosts.ts';
import { withRestarts } from './recheck-health.ts';

test('a service that was restarted during the checks and is starting again has failed', () => {
  const services = {
    loops: serviceFacts({ state: 'starting', restarts: 8 }),
    starts: serviceFacts({ state: 'starting', restarts: 8 }),
    recovered: serviceFacts({ restarts: 8 }),
    unknown: serviceFacts({ state: 'starting', restarts: 8 }),
  };
  const before = {
    loops: serviceFacts({ restarts: 7 }),
    starts: serviceFacts({ restarts: 8 }),
    recovered: serviceFacts({ restarts: 7 }),
  };
  const facts = withRestarts({ ...bareFacts('10.0.0.1'), services }, before);
  expect(Object.entries(facts.services).map(([name, { state }]) => [name, state])).toEqual([
    ['loops', 'failed'],
    ['starts', 'starting'],
    ['recovered', 'running'],
    ['unknown', 'starting'],
  ]);
});
