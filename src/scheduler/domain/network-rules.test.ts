import { expect, it } from 'vitest';
import { appV2, start, update } from '../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../test/scheduler/running.ts';
import { type App, definitionOf } from './app.ts';
import { readDefinition } from './definition.ts';

const docker = { image: 'i' };

it.each([
  [[{ name: 'a' }, { name: 'b' }, { name: 'a' }], 'networks.2.name', /is a, as of another entry/],
  [[{ name: 'a' }, { mode: 'host' }], 'networks', /several entries/],
  [[{ name: 'a', aliases: ['x'] }, { name: 'b' }], 'networks.0.aliases', /a single network/],
])('refuses the networks %j', (networks, path, error) => {
  const read = readDefinition({ id: '/a', container: { docker }, networks });
  if (!('errors' in read)) throw new Error('accepted');
  expect(read.errors.map((one) => one.path.join('.'))).toEqual([path]);
  expect(read.errors[0]?.error).toMatch(error);
});

it('shows the host port 0 of a bridge’s mappings, and restarts no app of an earlier release for it', () => {
  const container = { type: 'DOCKER', docker, portMappings: [{ containerPort: 80, servicePort: 9000 }] };
  const networks = [{ mode: 'container/bridge' }];
  const read = readDefinition({ id: '/a', container, networks });
  expect(read).toMatchObject({ definition: { container: { portMappings: [{ hostPort: 0 }] } } });
  const harness = new Harness(AGENTS);
  harness.input(start(appV2({ id: '/a', cmd: undefined, container, networks })));
  harness.disk.splice(
    0,
    Infinity,
    ...JSON.parse(JSON.stringify(harness.disk).replaceAll(',"hostPort":0', '')),
  );
  expect(JSON.stringify(harness.disk)).not.toContain('hostPort');
  harness.restart();
  harness.rest();
  const { configVersion } = harness.state.apps.get('/a')?.app ?? {};
  harness.input(update('/a', { container, networks, instances: 2 }));
  expect(harness.state.apps.get('/a')?.app).toMatchObject({ instances: 2, configVersion });
});

it.each([
  ['arguments', { args: [], container: { docker } }],
  [
    'mappings in the network of the host',
    { container: { docker, portMappings: [] }, networks: [{ mode: 'host' }] },
  ],
  [
    'required ports of a bridge',
    {
      container: { docker, portMappings: [{ containerPort: 80, servicePort: 9000, hostPort: 0 }] },
      networks: [{ mode: 'container/bridge' }],
      requirePorts: true,
    },
  ],
  [
    'no mappings in a bridge',
    { container: { docker, portMappings: undefined }, networks: [{ mode: 'container/bridge' }] },
  ],
])('restarts no app that an earlier release stored with %s without effect', (_what, fields) => {
  const harness = new Harness(AGENTS);
  const app = appV2({ id: '/a', cmd: undefined, container: { docker } });
  const stored = (one: App) => ({ ...one, ...fields, container: { ...one.container, ...fields.container } });
  harness.input(start(app));
  const disk = harness.disk.map((event) =>
    event.type === 'app_changed' ? { ...event, app: stored(event.app) } : event,
  );
  harness.disk.splice(0, Infinity, ...JSON.parse(JSON.stringify(disk)));
  harness.restart();
  harness.rest();
  const { configVersion } = harness.state.apps.get('/a')?.app ?? {};
  const shown = JSON.parse(JSON.stringify(definitionOf(harness.state.apps.get('/a')?.app ?? app)));
  for (const sent of [{}, shown]) {
    const ports = harness.state.servicePorts.size;
    harness.input(update('/a', { ...sent, instances: 2 }));
    expect(harness.state.apps.get('/a')?.app).toMatchObject({ instances: 2, configVersion });
    expect(harness.state.servicePorts.size).toBe(ports);
  }
});
