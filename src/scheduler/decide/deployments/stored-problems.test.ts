/** Definitions that other releases stored, and that this one refuses: they do not prevent other changes. */

import { expect, it } from 'vitest';
import { appV2, changed, start, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import type { App } from '../../domain/app.ts';

const ID = '/sleeper';

/** An app as another release stored it, after a restart with this release. */
function stored(fields: object): Harness {
  const harness = new Harness(AGENTS);
  harness.input(start(appV2()));
  const disk = harness.disk.map((event) =>
    event.type === 'app_changed' ? { ...event, app: { ...event.app, ...fields } } : event,
  );
  harness.disk.splice(0, Infinity, ...JSON.parse(JSON.stringify(disk)));
  harness.restart();
  harness.rest();
  return harness;
}

const appIn = ({ state }: Harness): App => {
  const { app } = state.apps.get(ID) ?? {};
  if (!app) throw new Error('no app');
  return app;
};

const DOCKER = { type: 'DOCKER', volumes: [] };
const TWICE = { mode: 'container', name: 'n' };
const HEALTH_CHECK = { gracePeriodSeconds: 1, intervalSeconds: 1, timeoutSeconds: 1, delaySeconds: 15 };
const SLOW_READINESS = { name: 'r', protocol: 'HTTP', path: '/', portName: 'default', intervalSeconds: 1 };

it.each<[string, object, Record<string, unknown>, RegExp]>([
  [
    'a container of type DOCKER without an image',
    { container: DOCKER },
    { container: DOCKER },
    /may not be empty/,
  ],
  [
    'a name of the network of the host',
    { networks: [{ mode: 'host', name: 'n' }] },
    { networks: [{ mode: 'host', name: 'n' }] },
    /can't be set with the mode host/,
  ],
  [
    'a check of a port that it does not have',
    {
      portDefinitions: [],
      healthChecks: [
        { ...HEALTH_CHECK, protocol: 'TCP', portIndex: 0, maxConsecutiveFailures: 0, ignoreHttp1xx: false },
      ],
    },
    { healthChecks: [{ protocol: 'TCP' }] },
    /has no port/,
  ],
  [
    'a slow readiness check',
    {
      readinessChecks: [
        { ...SLOW_READINESS, timeoutSeconds: 5, httpStatusCodesForReady: [200], preserveLastResponse: false },
      ],
      portDefinitions: [{ port: 10_001, protocol: 'tcp', name: 'default', labels: {} }],
    },
    { readinessChecks: [{ portName: 'default', intervalSeconds: 1, timeoutSeconds: 5 }] },
    /must be less than intervalSeconds/,
  ],
  [
    'a network twice',
    {
      container: { type: 'DOCKER', volumes: [], docker: { image: 'x' }, portMappings: [] },
      networks: [TWICE, TWICE],
      portDefinitions: [],
    },
    { networks: [TWICE, TWICE] },
    /as of another entry/,
  ],
  ['a value that this release can’t read', { executor: 'x y' }, { executor: 'x y' }, /must be '\/\/cmd'/],
  ['a role that the scheduler has no more', { role: 'old' }, { role: 'older' }, /the role of this scheduler/],
])('%s', (_, fields, sent, refused) => {
  const harness = stored(fields);
  const before = appIn(harness);
  expect(harness.input(update(ID, { instances: 2 }, true))).toMatchObject({ type: 'deployed' });
  expect(appIn(harness)).toEqual({
    ...before,
    instances: 2,
    version: expect.any(String),
    scaleVersion: expect.any(String),
  });
  expect(harness.input(update(ID, { env: { A: 'b' } }, true))).toMatchObject({ type: 'deployed' });
  expect(appIn(harness)).toMatchObject({ ...fields, instances: 2, env: { A: 'b' } });
  // What is sent is held to the rules, also beside the stored problem.
  const reply = harness.input(update(ID, { ...sent, instances: -1 }, true));
  const errors = reply?.type === 'invalid' ? reply.errors.map(({ error }) => error) : [];
  expect(errors.join()).toMatch(/must be at least 0/);
  const again = harness.input(update(ID, sent, true));
  const problems = again?.type === 'invalid' ? again.errors.map(({ error }) => error) : [];
  expect(problems.join()).toMatch(refused);
  const args = harness.input(update(ID, { cmd: 'a', args: ['b'] }, true));
  expect(args).toMatchObject({ type: 'invalid', errors: [{ path: ['args'] }] });
});

it('a deployment that ends the problem can be rolled back', () => {
  const harness = stored({ role: 'old' });
  const reply = harness.input(update(ID, { role: null }, true));
  if (reply?.type !== 'deployed') throw new Error(`the update was refused: ${JSON.stringify(reply)}`);
  const back = { op: 'roll_back', deploymentId: reply.plan.id } as const;
  expect(harness.input(changed([back], true))).toMatchObject({ type: 'deployed' });
  expect(appIn(harness).role).toBe('old');
});

it('a definition that replaces the stored one is held to all rules', () => {
  const harness = stored({ container: DOCKER });
  const fields = { cmd: 'sleep 5', container: DOCKER };
  const replaced = changed([{ op: 'update', appId: ID, fields, partial: false, upsert: true }]);
  expect(harness.input(replaced)).toMatchObject({
    type: 'invalid',
    errors: [{ path: ['container', 'docker'] }],
  });
});

it('an app that may have one instance only is not scaled with its group', () => {
  const harness = new Harness(AGENTS);
  const upgradeStrategy = { minimumHealthCapacity: 0, maximumOverCapacity: 0 };
  const labels = { MARATHON_SINGLE_INSTANCE_APP: 'true' };
  harness.input(start(appV2({ id: '/g/one', labels, upgradeStrategy })));
  const scaled = (by: number) => harness.input(changed([{ op: 'scale_group', groupId: '/g', by }]));
  expect(scaled(3)).toEqual({
    type: 'invalid',
    errors: [
      {
        path: ['scaleBy'],
        error: expect.stringMatching(/^makes 3 instances of \/g\/one, which must be at most 1/),
      },
    ],
  });
  expect(scaled(0)).toMatchObject({ type: 'deployed' });
});
