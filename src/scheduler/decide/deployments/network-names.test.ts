import { expect, it } from 'vitest';
import { appV2, start, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';

const UNNAMED = { container: { type: 'DOCKER', docker: { image: 'i' } }, networks: [{ mode: 'container' }] };
const error = 'may not be empty with the mode container: the scheduler has no --default_network_name';

it('a network without a name is refused without --default_network_name', () => {
  const refused = { type: 'invalid', errors: [{ path: ['networks', 0, 'name'], error }] };
  expect(new Harness(AGENTS).input(start(appV2(UNNAMED)))).toEqual(refused);
  const network = { container: { docker: { image: 'i', network: 'USER' } } };
  expect(new Harness(AGENTS).input(start(appV2(network)))).toEqual(refused);
  const harness = new Harness(AGENTS);
  harness.input(start(appV2({ container: UNNAMED.container })));
  expect(harness.input(update('/sleeper', { networks: [{ mode: 'container' }] }, true))).toEqual(refused);
});

it('a network without a name is the default one', () => {
  const harness = new Harness(AGENTS, { defaultNetworkName: 'blue' });
  harness.input(start(appV2(UNNAMED)));
  expect(harness.state.apps.get('/sleeper')?.app.networks).toEqual([{ mode: 'container', name: 'blue' }]);
});

it('an app that an earlier release accepted without a name can still be scaled', () => {
  const harness = new Harness(AGENTS, { defaultNetworkName: 'blue' });
  harness.input(start(appV2(UNNAMED)));
  const record = harness.state.apps.get('/sleeper');
  if (!record) throw new Error('no app');
  record.app = { ...record.app, networks: [{ mode: 'container' }] };
  Object.assign(harness.state.settings, { defaultNetworkName: undefined });
  expect(harness.input(update('/sleeper', { instances: 3 }, true))).toMatchObject({ type: 'deployed' });
});
