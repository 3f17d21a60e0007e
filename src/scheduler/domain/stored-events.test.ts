import { describe, expect, it } from 'vitest';
import { app, appV2 } from '../../../test/scheduler/fixtures.ts';
import type { App } from './app.ts';
import { readEvent, UnreadableEventError } from './stored-events.ts';

const V2 = [
  appV2(),
  appV2({
    args: ['a'],
    cmd: undefined,
    container: {
      type: 'DOCKER',
      docker: { image: 'i', parameters: [{ key: 'k', value: 'v' }], options: ['-t'] },
      volumes: [{ containerPath: '/c', hostPath: '/h', mode: 'RO' }],
      portMappings: [
        { containerPort: 80, hostPort: 0, servicePort: 10_001, name: 'web', labels: { A: 'b' } },
      ],
    },
    networks: [{ mode: 'container/bridge' }],
    healthChecks: [
      { protocol: 'HTTP', path: '/' },
      { protocol: 'COMMAND', command: { value: 'true' } },
    ],
    readinessChecks: [{ portName: 'web' }],
    constraints: [
      ['hostname', '0'],
      ['rack', 'MAX_PER', 3],
    ],
    fetch: [{ uri: 'http://x/y' }],
    unreachableStrategy: 'disabled',
    acceptedResourceRoles: ['*'],
    env: { A: 1 },
    mode: 'daemon',
    maxFailures: 3,
  }),
  appV2({ unreachableStrategy: { inactiveAfterSeconds: 5 }, constraints: [['rack', 'GROUP_BY']] }),
];

/** A stored app as JSON that tests may modify. */
function stored(one: App) {
  return JSON.parse(JSON.stringify({ type: 'app_changed', app: one, at: 1 }));
}

describe('a stored event', () => {
  it.each([app(), ...V2])('restores an app as the API created it: $id', (one) => {
    expect(readEvent(stored(one))).toEqual(stored(one));
  });

  it('has the defaults of fields that were added later', () => {
    const event = stored(V2[1] ?? appV2());
    delete event.app.requirePorts;
    delete event.app.upgradeStrategy;
    delete event.app.container.docker.privileged;
    delete event.app.healthChecks[0].intervalSeconds;
    expect(readEvent(event)).toEqual(stored(V2[1] ?? appV2()));
  });

  it('is read independent of the API’s current limits', () => {
    const event = stored(appV2());
    Object.assign(event.app, { cpus: 1e15, id: '', executor: 'relative', instances: 1e9 });
    expect(readEvent(event)).toEqual(event);
  });

  it('is refused if its type, a field or a value is of a later release, with its name', () => {
    const refusal = (event: unknown) => {
      try {
        return readEvent(event);
      } catch (error) {
        return error instanceof UnreadableEventError ? error.message : error;
      }
    };
    const event = stored(V2[1] ?? appV2());
    const inDocker = (docker: object) => ({ ...event, app: { ...event.app, container: { docker } } });
    expect([
      refusal({ type: 'volume_made', at: 1 }),
      refusal('x'),
      refusal(inDocker({ image: 'i', pullLogin: { secret: 'x' } })),
      refusal(inDocker({ image: 'i', parameters: [{ key: 'k', value: 1 }] })),
      refusal({ type: 'deployment_ended', deploymentId: 'd', outcome: 'paused', at: 1 }),
      refusal({ type: 'app_removed', at: 1 }),
      refusal({ type: 'app_removed', appId: 'x', at: 1, why: 'y' }),
    ]).toEqual([
      'an event of unknown type "volume_made"',
      'an event of unknown type "string"',
      'an event "app_changed" whose field "app.container.docker.pullLogin" is unknown',
      'an event "app_changed" whose field "app.container.docker.parameters.0.value" has an unknown value',
      'an event "deployment_ended" whose field "outcome" has an unknown value',
      'an event "app_removed" whose field "appId" is missing',
      'an event "app_removed" whose field "why" is unknown',
    ]);
  });
});
