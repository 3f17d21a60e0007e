import { describe, expect, it } from 'vitest';
import { appV2, changed, scale, start, stop, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../../test/scheduler/running.ts';
import { type App, definitionOf } from '../../domain/app.ts';
import type { AppRecord } from '../../domain/state.ts';
import { isReady } from '../../domain/task.ts';
import type { ChangeInput, Reply } from '../inputs.ts';

const ID = '/sleeper';

/** Starts an app of v2 whose instances are all running. */
function running(fields: Record<string, unknown> = {}): Harness {
  const harness = new Harness(AGENTS);
  harness.input(start(appV2({ instances: 4, cpus: 0.1, ...fields })));
  harness.rest();
  return harness;
}

function record(harness: Harness, id = ID): AppRecord {
  const found = harness.state.apps.get(id);
  if (!found) throw new Error(`${id} is not there`);
  return found;
}

function deployed(reply: Reply | undefined) {
  if (reply?.type !== 'deployed') throw new Error(`not deployed: ${JSON.stringify(reply)}`);
  return reply.plan;
}

/** Steps through a deployment, and inspects the app after each step. */
function watch(harness: Harness, look: (app: AppRecord) => void, id = ID): void {
  for (let i = 0; i < 500 && harness.state.deployments.size > 0; i += 1) {
    if (!harness.deliver()) {
      harness.mesos.offer();
      if (harness.mesos.inbox.length === 0 && !harness.mesos.work()) harness.pass(100);
    }
    const app = harness.state.apps.get(id);
    if (app) look(app);
  }
  expect(harness.state.deployments.size).toBe(0);
}

describe('a deployment', () => {
  it('of a new app ends when its instances are running', () => {
    const harness = new Harness(AGENTS);
    const { id, steps } = deployed(harness.input(start(appV2({ instances: 2 }))));
    expect(steps).toEqual([[{ type: 'start', appId: ID }]]);
    expect([...harness.state.deployments.keys()]).toEqual([id]);
    expect(record(harness).deploymentId).toBe(id);
    harness.rest();
    expect(harness.state.deployments.size).toBe(0);
    expect(record(harness).deploymentId).toBeUndefined();
  });

  it.each([
    [1, 1, 4, 8],
    [1, 0, 4, 5],
    [0.5, 0, 2, 4],
    [0.5, 0.25, 2, 5],
    [0, 0, 0, 4],
  ])(
    'that changes an app respects minimum health and maximum capacity: %d, %d',
    (minimumHealthCapacity, maximumOverCapacity, fewest, most) => {
      const upgradeStrategy = { minimumHealthCapacity, maximumOverCapacity };
      const harness = running({ upgradeStrategy });
      const before = new Set(record(harness).tasks.keys());
      const { steps } = deployed(harness.input(update(ID, { env: { A: '1' } })));
      expect(steps).toEqual([[{ type: 'restart', appId: ID }]]);
      const seen = { healthy: 4, instances: 4 };
      watch(harness, (app) => {
        const alive = [...app.tasks.values()];
        seen.healthy = Math.min(seen.healthy, alive.filter(isReady).length);
        seen.instances = Math.max(seen.instances, app.counted);
      });
      expect(seen.healthy).toBeGreaterThanOrEqual(fewest);
      expect(seen.instances).toBeLessThanOrEqual(most);
      // It uses the available capacity.
      expect([seen.healthy, seen.instances]).toEqual([fewest, most]);
      const after = [...record(harness).tasks.keys()];
      expect(after).toHaveLength(4);
      expect(after.filter((id) => before.has(id))).toEqual([]);
    },
  );

  it('that changes only the number of instances replaces nothing', () => {
    const harness = running();
    const before = [...record(harness).tasks.keys()];
    const { steps } = deployed(harness.input(update(ID, { instances: 5 })));
    expect(steps).toEqual([[{ type: 'scale', appId: ID }]]);
    harness.rest();
    const after = [...record(harness).tasks.keys()];
    expect(after).toHaveLength(5);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  it('keeps a limited number of versions of an app', () => {
    const harness = running({ instances: 1 });
    for (let i = 0; i < 25; i += 1) harness.input(update(ID, { env: { A: String(i) } }, true));
    expect(record(harness).versions.map(({ env }) => Number(env.A))).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 5),
    );
    const [oldest] = record(harness).versions;
    harness.input(changed([{ op: 'revert', appId: ID, version: oldest?.version ?? '' }]));
    harness.rest();
    expect([record(harness).app.env.A, record(harness).tasks.size]).toEqual(['5', 1]);
    const unknown = { op: 'revert', appId: ID, version: 'x' } as const;
    expect(harness.input(changed([unknown]))).toEqual({ type: 'unknown_version', appId: ID, version: 'x' });
  });

  it('without changes ends at once', () => {
    const harness = running();
    expect(deployed(harness.input(update(ID, { cmd: 'sleep 1000' }))).steps).toEqual([]);
    expect(harness.state.deployments.size).toBe(0);
  });

  it('locks its apps against other deployments, unless they are forced', () => {
    const harness = new Harness(AGENTS);
    const { id } = deployed(harness.input(start(appV2())));
    expect(harness.input(update(ID, { instances: 2 }))).toEqual({ type: 'locked', deploymentIds: [id] });
    const next = deployed(harness.input(update(ID, { instances: 2 }, true)));
    expect([...harness.state.deployments.keys()]).toEqual([next.id]);
  });

  it('with dryRun returns its plan and changes nothing', () => {
    const harness = running();
    const input: ChangeInput = { ...update(ID, { env: { A: '1' } }), dryRun: true };
    expect(deployed(harness.input(input)).steps).toEqual([[{ type: 'restart', appId: ID }]]);
    expect(harness.lastDecision.events).toEqual([]);
  });

  it('waits for the dependencies of its apps', () => {
    const harness = new Harness(AGENTS);
    const create = (id: string, dependencies: string[]) => {
      const app = appV2({ id, dependencies, cpus: 0.1 });
      return { op: 'create', app: definitionOf(app), api: app.api } as const;
    };
    const plan = deployed(
      harness.input(
        changed([create('/web', ['/db', '/queue']), create('/db', []), create('/queue', ['/db'])]),
      ),
    );
    expect(plan.steps.map((step) => step.map(({ appId }) => appId))).toEqual([['/db'], ['/queue'], ['/web']]);
    harness.connect();
    harness.deliverAll();
    expect([...harness.state.waiting]).toEqual(['/db']);
    harness.rest();
    expect(harness.state.tasks.size).toBe(3);
    expect(harness.state.deployments.size).toBe(0);
    const circle = changed([
      { op: 'update', appId: '/db', fields: { dependencies: ['/web'] }, partial: true, upsert: false },
    ]);
    expect(harness.input(circle)).toMatchObject({ type: 'invalid', errors: [{ path: ['dependencies'] }] });
  });

  it('that removes an app ends when its tasks have ended', () => {
    const harness = running();
    const { steps } = deployed(harness.input(stop(ID)));
    expect(steps).toEqual([[{ type: 'stop', appId: ID, run: 1 }]]);
    expect(harness.state.apps.size).toBe(0);
    expect(harness.state.deployments.size).toBe(1);
    harness.rest();
    expect(harness.state.deployments.size).toBe(0);
    expect(harness.state.orphans.size).toBe(0);
  });

  it('continues after a restart of the scheduler', () => {
    const harness = running();
    harness.input(update(ID, { env: { A: '1' } }));
    harness.deliverAll();
    harness.mesos.offer();
    harness.deliverAll();
    harness.restart();
    expect(harness.state.deployments.size).toBe(1);
    harness.rest();
    expect(harness.state.deployments.size).toBe(0);
    const configs = [...record(harness).tasks.values()].map(({ configVersion }) => configVersion);
    expect(configs).toEqual(configs.map(() => record(harness).app.configVersion));
  });
});

it('stores another share in a deployment group, and restarts no task for it', () => {
  const labels = { tier: 'one', HAPROXY_DEPLOYMENT_GROUP: 'g', HAPROXY_DEPLOYMENT_SHARE: '10' };
  const harness = running({ labels });
  const tasks = [...record(harness).tasks.keys()].sort();
  const { version } = record(harness).app;
  deployed(harness.input(update(ID, { labels: { ...labels, HAPROXY_DEPLOYMENT_SHARE: '50' } })));
  harness.rest();
  expect(record(harness).app.labels.HAPROXY_DEPLOYMENT_SHARE).toBe('50');
  expect(record(harness).app.version).not.toBe(version);
  expect([...record(harness).tasks.keys()].sort()).toEqual(tasks);
  deployed(harness.input(update(ID, { labels: { ...labels, tier: 'two' } })));
  harness.rest();
  expect([...record(harness).tasks.keys()].sort()).not.toEqual(tasks);
});

describe('a rollback', () => {
  function failing(more: Partial<App> = {}): Harness {
    const harness = running(more as Record<string, unknown>);
    deployed(harness.input(update(ID, { env: { A: '1' }, ...more })));
    return harness;
  }

  /** New tasks fail as soon as they have started. */
  function failNew(harness: Harness): void {
    const active = record(harness).active?.configVersion;
    for (const { id, configVersion } of record(harness).tasks.values()) {
      if (configVersion === active) harness.mesos.advance(id, 'TASK_FAILED');
    }
    harness.deliverAll();
  }

  it('on request keeps the running tasks of the old version, and kills the others', () => {
    const harness = running();
    const before = [...record(harness).tasks.keys()].sort();
    const { id } = deployed(harness.input(update(ID, { env: { A: '1' } })));
    harness.deliverAll();
    harness.mesos.offer();
    harness.deliverAll();
    expect(record(harness).tasks.size).toBe(8);
    const back = deployed(harness.input(changed([{ op: 'roll_back', deploymentId: id }])));
    expect(back.steps).toEqual([[{ type: 'restart', appId: ID }]]);
    harness.rest();
    expect([...record(harness).tasks.keys()].sort()).toEqual(before);
    expect(record(harness).app.env).toEqual({});
  });

  it('is automatic when too many tasks fail, and never kills ready tasks', () => {
    const harness = failing({ maxFailures: 3 });
    for (let i = 0; i < 50 && harness.state.deployments.size > 0; i += 1) {
      harness.deliverAll();
      harness.mesos.offer();
      harness.deliverAll();
      if (record(harness).app.env.A !== undefined) failNew(harness);
      else harness.rest();
      expect([...record(harness).tasks.values()].filter(isReady).length).toBe(4);
      harness.pass(2000);
    }
    expect(record(harness).app.env).toEqual({});
    expect(harness.state.deployments.size).toBe(0);
    expect(harness.mesos.live()).toHaveLength(4);
  });

  it('is automatic after the deadline without progress', () => {
    const harness = running();
    // No agent is that large.
    deployed(harness.input(update(ID, { cpus: 50, progressDeadlineSeconds: 60 })));
    harness.mesos.offer();
    harness.deliverAll();
    harness.pass(59_000);
    expect(record(harness).app.cpus).toBe(50);
    harness.pass(1000);
    expect(record(harness).app.cpus).toBe(0.1);
    harness.rest();
    expect(harness.state.deployments.size).toBe(0);
    expect(harness.mesos.live()).toHaveLength(4);
  });

  it('does not follow after progress, nor after the end, nor without a connection to the master', () => {
    const harness = running();
    deployed(harness.input(update(ID, { env: { A: '1' }, progressDeadlineSeconds: 60 })));
    harness.now += 59_000;
    harness.deliverAll();
    harness.mesos.offer();
    harness.deliverAll();
    while (harness.mesos.work()) harness.deliverAll();
    harness.pass(1000);
    expect(record(harness).app.env.A).toBe('1');
    harness.rest();
    expect(harness.state.deployments.size).toBe(0);
    harness.pass(600_000);
    expect(record(harness).app.env.A).toBe('1');

    deployed(harness.input(update(ID, { cpus: 50 })));
    harness.disconnect();
    harness.pass(600_000);
    expect(record(harness).app.cpus).toBe(50);
    harness.connect();
    harness.deliverAll();
    harness.pass(60_000);
    expect(record(harness).app.cpus).toBe(0.1);
  });

  it('does not follow for a new app', () => {
    const harness = new Harness(AGENTS);
    harness.input(start(appV2({ cpus: 50, progressDeadlineSeconds: 60 })));
    harness.connect();
    harness.deliverAll();
    harness.pass(60_000);
    expect(harness.state.deployments.size).toBe(0);
    expect(record(harness).app.cpus).toBe(50);
  });

  it('of a new app removes it', () => {
    const harness = new Harness(AGENTS);
    const { id } = deployed(harness.input(start(appV2())));
    harness.input(changed([{ op: 'roll_back', deploymentId: id }]));
    harness.rest();
    expect(harness.state.apps.size).toBe(0);
    expect(harness.state.deployments.size).toBe(0);
  });
});

describe('a cancelled deployment', () => {
  it('leaves its app partly rolled out until the next change', () => {
    const harness = running({ upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 } });
    const { id } = deployed(harness.input(update(ID, { env: { A: '1' } })));
    expect(harness.input({ type: 'cancel_deployment', deploymentId: id })).toEqual({ type: 'done' });
    harness.rest();
    const configs = () =>
      new Set([...record(harness).tasks.values()].map(({ configVersion }) => configVersion));
    expect(record(harness).tasks.size).toBe(4);
    expect(configs().size).toBe(2);
    harness.restart();
    harness.rest();
    expect(configs().size).toBe(2);
    harness.input(scale(ID, 5));
    harness.rest();
    expect(record(harness).tasks.size).toBe(5);
    expect(configs().size).toBe(1);
    expect(harness.input({ type: 'cancel_deployment', deploymentId: id })).toEqual({
      type: 'unknown_deployment',
      deploymentId: id,
    });
  });
});

describe('modes', () => {
  it('a job kills a task that returns with its agent if it has enough finished and running tasks', () => {
    const harness = running({ mode: 'job', instances: 2, constraints: [['hostname', 'UNIQUE']] });
    const [away, other] = harness.mesos.live();
    if (!away || !other) throw new Error('two were to run');
    harness.mesos.advance(other.info.task_id.value, 'TASK_FINISHED');
    harness.deliverAll();
    harness.mesos.lose(away.agentId);
    harness.rest();
    expect(record(harness)).toMatchObject({ succeeded: 1, counted: 1 });
    harness.mesos.bringBack(away.agentId);
    harness.deliverAll();
    expect(harness.state.tasks.get(away.info.task_id.value)?.killedAt).toBe(harness.now);
  });

  it('a job is done at exit code 0, and repeated otherwise', () => {
    const harness = running({ mode: 'job', instances: 2 });
    const [a, b] = [...record(harness).tasks.keys()];
    harness.mesos.advance(a ?? '', 'TASK_FINISHED');
    harness.mesos.advance(b ?? '', 'TASK_FAILED');
    harness.rest();
    expect(record(harness).tasks.size).toBe(1);
    expect(harness.state.deployments.size).toBe(1);
    harness.mesos.advance([...record(harness).tasks.keys()][0] ?? '', 'TASK_FINISHED');
    harness.rest();
    expect([record(harness).tasks.size, harness.state.deployments.size]).toEqual([0, 0]);
    harness.restart();
    harness.rest();
    expect(record(harness).tasks.size).toBe(0);
  });

  it('a daemon has one task on each agent, also on new ones', () => {
    const harness = running({ mode: 'daemon' });
    const hosts = () => [...record(harness).tasks.values()].map(({ host }) => host).sort();
    expect(hosts()).toEqual(['a', 'b']);
    const more = new Harness([...AGENTS, { id: 'S2', host: 'c', cpus: 4, mem: 8192, ports: 20 }]);
    more.disk.push(...harness.disk);
    more.restart();
    more.rest();
    expect([...record(more).tasks.values()].map(({ host }) => host)).toContain('c');
    const before = hosts();
    harness.input(update(ID, { env: { A: '1' } }));
    harness.rest();
    expect(hosts()).toEqual(before);
    const configs = [...record(harness).tasks.values()].map(({ configVersion }) => configVersion);
    expect(configs).toEqual(configs.map(() => record(harness).app.configVersion));
  });
});
