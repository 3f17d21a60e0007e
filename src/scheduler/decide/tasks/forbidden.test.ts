import { describe, expect, it } from 'vitest';
import { app, appV2, start, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import type { App } from '../../domain/app.ts';
import { parsePolicy } from '../../domain/scheduler-policy.ts';

const IMAGE = { cmd: undefined, container: { type: 'DOCKER', docker: { image: 'redis' } } };
const MESOS = { ...IMAGE, container: { type: 'MESOS', docker: { image: 'redis' } } };

function policyOf(content: unknown) {
  const parsed = parsePolicy(content);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return { policy: parsed.policy };
}

function reply(one: App, policy: unknown) {
  return new Harness(AGENTS, policyOf(policy)).input(start(one));
}

describe('the policy of the scheduler', () => {
  it.each<[string, App, unknown]>([
    ['cmd', appV2(), { allowCommands: true }],
    ['cmd', app({ executor: '' }), { allowCommands: true }],
    [
      'cmd',
      appV2({ container: { type: 'MESOS', volumes: [{ containerPath: 'a', hostPath: '/a' }] } }),
      { allowedContainerizers: ['mesos'], allowCommands: true },
    ],
    ['executor', appV2({ executor: '/opt/x' }), { allowedExecutors: ['/opt/x'] }],
    ['container', appV2(MESOS), { allowedContainerizers: ['mesos'] }],
    ['user', appV2({ user: 'joe' }), { allowCommands: true, allowedUsers: ['joe'] }],
    [
      'fetch.0.uri',
      appV2({ fetch: [{ uri: 'file:///x' }] }),
      { allowCommands: true, allowedUris: ['file:///x'] },
    ],
  ])('refuses %s unless it allows it', (path, one, allowed) => {
    const without = Object.fromEntries(Object.entries(allowed as object).slice(0, -1));
    const refused = reply(one, without);
    if (refused?.type !== 'invalid') throw new Error(JSON.stringify(refused));
    const [error] = refused.errors;
    expect(error?.path.join('.')).toBe(path);
    expect(error?.error).toMatch(/the scheduler's policy \(--policy\) has no allow/);
    expect(reply(one, allowed)).toMatchObject({ type: 'deployed' });
    expect(new Harness(AGENTS).input(start(one))).toMatchObject({ type: 'deployed' });
  });

  it.each([
    ['of v2', appV2(IMAGE)],
    ['of v2 with files', appV2({ ...IMAGE, fetch: [{ uri: 'http://x' }] })],
    ['with a user of the container', appV2({ ...IMAGE, user: 'nobody' })],
    ['of the form of 2013', app()],
    ['of the form of 2013 with files', app({ uris: ['http://x'] })],
  ])('allows containers of the Docker executor %s', (_name, one) => {
    expect(reply(one, {})).toMatchObject({ type: 'deployed' });
  });

  it('lets stored apps that it forbids shrink and end, but not grow', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ instances: 2 })));
    harness.rest();
    Object.assign(harness.state.settings, policyOf({}));
    const scale = (instances: number) =>
      harness.input({
        type: 'change',
        changes: [{ op: 'scale', appId: '/sleeper', instances }],
        force: true,
        seed: 0,
      });
    expect(scale(3)?.type).toBe('invalid');
    expect(scale(1)?.type).toBe('deployed');
    expect(scale(0)?.type).toBe('deployed');
    expect(scale(1)?.type).toBe('invalid');
  });

  it('lets stored apps that it forbids get fewer requests, so that a canary can be ended', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ labels: { HAPROXY_DEPLOYMENT_SHARE: '10' } })));
    harness.rest();
    Object.assign(harness.state.settings, policyOf({}));
    const labelled = (labels: Record<string, string>) => harness.input(update('/sleeper', { labels }))?.type;
    expect(labelled({ HAPROXY_DEPLOYMENT_SHARE: '0' })).toBe('deployed');
    expect(labelled({ HAPROXY_DEPLOYMENT_SHARE: '0', tier: 'x' })).toBe('invalid');
  });

  it('keeps stored apps that it forbids waiting, with the reason', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2()));
    Object.assign(harness.state.settings, policyOf({}));
    harness.rest();
    expect(harness.mesos.tasks.size).toBe(0);
    const [refusal] = harness.state.apps.get('/sleeper')?.refusals.values() ?? [];
    expect(refusal?.reason).toMatch(/^policy: cmd may not be run without a container: .*allowCommands/);
  });
});
