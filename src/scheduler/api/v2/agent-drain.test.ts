import { expect, it } from 'vitest';
import { appV2, start } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { agentDrainJson } from './agents.ts';

it('tells replacements that are starting from apps without room', () => {
  const agent = (id: string, cpus: number) => ({ id, host: id, cpus, mem: 8192, ports: 20 });
  const harness = new Harness([agent('S0', 4), agent('S1', 4)]);
  harness.input(start(appV2({ instances: 4, cpus: 1 })));
  harness.rest();
  harness.input({ type: 'drain_agent', agentId: 'S0', drains: true });
  const drain = () => agentDrainJson(harness.state, 'S0');
  const { moving } = drain();
  expect(drain()).toMatchObject({ starting: 0, waiting: ['/sleeper'] });
  harness.mesos.offer();
  while (!drain().starting && harness.deliver());
  expect(drain()).toMatchObject({ moving, ending: 0, starting: moving, waiting: [] });
  harness.rest();
  expect(drain()).toMatchObject({ moving: 0, starting: 0 });
});
