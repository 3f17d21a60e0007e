import { describe, expect, it } from 'vitest';
import { call, get, PAGE, post, type Server, server } from '../../../../test/scheduler/api-server.ts';

describe('GET /v2/queue', () => {
  it('shows why an app is waiting', async () => {
    const one = server();
    const { runner, mesos } = one;
    const queue = async () => (await get(one, '/v2/queue')).json().queue;
    await post(one, '/v1/apps/start', { ...PAGE, cpus: 9 });
    expect(await queue()).toMatchObject([
      {
        app: { id: '/multidis' },
        count: 2,
        delay: { timeLeftSeconds: 0, overdue: true },
        processedOffersSummary: {
          reasons: ['not subscribed to a Mesos master: it has not been reached yet'],
        },
      },
    ]);
    mesos.subscribe(true);
    for (const event of mesos.inbox.splice(0)) await runner.submit({ type: 'mesos', event });
    expect((await queue())[0].processedOffersSummary.reasons).toEqual([
      'waiting for an offer: no agent is registered, or no agent has free resources',
    ]);
    mesos.offer();
    for (const event of mesos.inbox.splice(0)) await runner.submit({ type: 'mesos', event });
    expect((await queue())[0].processedOffersSummary.reasons).toEqual([
      'a.example, b.example: cpus: 9.1 wanted, including 0.1 for its executor, 4 offered',
      'cpus: 9 wanted, and no agent has offered more than 4 so far',
    ]);
  });

  it('shows the delay and the last failure', async () => {
    const one = server();
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    one.mesos.subscribe(true);
    const deliver = async () => {
      while (one.mesos.inbox.length > 0)
        for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
    };
    await deliver();
    one.mesos.offer();
    await deliver();
    one.mesos.advance('multidis_0-1700000000000', 'TASK_FAILED', { message: 'no such image' });
    await deliver();
    expect((await get(one, '/v2/queue')).json().queue[0]).toMatchObject({
      delay: { timeLeftSeconds: 1, overdue: false },
      processedOffersSummary: {
        reasons: [
          'its tasks keep ending: next launch in 1 s',
          'last failure: multidis_0-1700000000000 on a.example, TASK_FAILED at 2023-11-14T22:13:20.000Z: no such image',
        ],
      },
    });
  });

  it.each(['/v2/queue/g/x/delay', '/v2/queue/g/x/delay/', '/v2/queue//g/x/delay'])(
    'lets an app launch at once by DELETE %s',
    async (url) => {
      const one = server();
      await post(one, '/v2/apps', { id: '/g/x', cmd: 'sleep 1' });
      one.mesos.subscribe(true);
      const left = async () => {
        for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
        return (await get(one, '/v2/queue')).json().queue[0]?.delay.timeLeftSeconds;
      };
      expect(await left()).toBe(0);
      one.mesos.offer();
      expect(await left()).toBeUndefined();
      one.mesos.advance([...one.mesos.tasks.keys()][0] ?? '', 'TASK_FAILED');
      expect(await left()).toBe(1);
      expect((await call(one, 'DELETE', url)).statusCode).toBe(204);
      expect(await left()).toBe(0);
      expect((await call(one, 'DELETE', '/v2/queue/g/y/delay')).statusCode).toBe(404);
      expect((await call(one, 'DELETE', '/v2/queue/g/x')).statusCode).toBe(404);
    },
  );

  it('is empty when all tasks are running', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    await one.run();
    expect((await get(one, '/v2/queue')).json()).toEqual({ queue: [] });
  });
});

/** Two agents with 4 CPUs and 4 ports each do not fit the app. */
async function refused(more: Record<string, unknown>): Promise<Server> {
  const one = server();
  const response = await post(one, '/v2/apps', { id: '/x', cmd: 'sleep 1', instances: 2, ...more });
  expect(response.statusCode).toBe(201);
  await one.run();
  return one;
}

describe('the offers in GET /v2/queue', () => {
  const [CPUS, MEM] = ['InsufficientCpus', 'InsufficientMemory'];

  it('are counted like in Marathon', async () => {
    const one = await refused({ cpus: 5, mem: 9000 });
    const [item] = (await get(one, '/v2/queue')).json().queue;
    expect(item.app).toMatchObject({ id: '/x', cpus: 5, instances: 2 });
    expect(item.lastUnusedOffers).toBeUndefined();
    const funnel = [
      { reason: 'UnfulfilledRole', declined: 0, processed: 2 },
      { reason: 'UnfulfilledConstraint', declined: 0, processed: 2 },
      { reason: 'NoCorrespondingReservationFound', declined: 0, processed: 2 },
      { reason: CPUS, declined: 2, processed: 2 },
      { reason: MEM, declined: 0, processed: 0 },
      { reason: 'InsufficientDisk', declined: 0, processed: 0 },
      { reason: 'InsufficientGpus', declined: 0, processed: 0 },
      { reason: 'InsufficientPorts', declined: 0, processed: 0 },
    ];
    expect(item.processedOffersSummary).toEqual({
      processedOffersCount: 2,
      unusedOffersCount: 2,
      lastUnusedOfferAt: '2023-11-14T22:13:20.000Z',
      rejectSummaryLastOffers: funnel,
      rejectSummaryLaunchAttempt: funnel,
      reasons: expect.any(Array),
    });
    // python3-marathon rejects other fields.
    expect(Object.keys(item).sort()).toEqual(['app', 'count', 'delay', 'processedOffersSummary', 'since']);
  });

  it('are shown with everything they lacked, on request', async () => {
    const one = await refused({ cpus: 5, mem: 9000 });
    const [item] = (await get(one, '/v2/queue?embed=lastUnusedOffers')).json().queue;
    expect(item.lastUnusedOffers).toHaveLength(2);
    expect(item.lastUnusedOffers[0]).toMatchObject({
      reason: [CPUS, MEM],
      timestamp: '2023-11-14T22:13:20.000Z',
      offer: {
        agentId: 'S0',
        hostname: 'a.example',
        attributes: [],
        resources: [
          { name: 'cpus', role: '*', scalar: 4 },
          { name: 'mem', role: '*', scalar: 4096 },
          { name: 'disk', role: '*', scalar: 1000 },
          { name: 'ports', role: '*' },
        ],
      },
    });
  });

  it('are counted even if they were used', async () => {
    const one = await refused({ cpus: 3, instances: 5 });
    const [item] = (await get(one, '/v2/queue')).json().queue;
    expect(item.count).toBe(3);
    expect(item.processedOffersSummary).toMatchObject({
      lastUsedOfferAt: '2023-11-14T22:13:20.000Z',
      lastUnusedOfferAt: '2023-11-14T22:13:20.000Z',
    });
  });
});

describe('GET /v2/apps/{id}/explain', () => {
  it('shows for each agent what was missing, and the single change that would place the app', async () => {
    const one = await refused({ cpus: 5 });
    const answer = (await get(one, '/v2/apps/x/explain')).json();
    expect(answer).toMatchObject({
      appId: '/x',
      instances: 2,
      running: 0,
      missing: 2,
      since: '2023-11-14T22:13:20.000Z',
      nearest: { agentId: 'S0', hostname: 'a.example', lacks: ['cpus: 5 wanted, 4 offered'] },
      change: { field: 'cpus', from: 5, to: 4, text: 'cpus: 4 instead of 5 would fit on a.example' },
    });
    expect(answer.agents).toHaveLength(2);
    expect(answer.agents[1]).toMatchObject({
      agentId: 'S1',
      hostname: 'b.example',
      checks: [
        { stage: 'roles', ok: true },
        { stage: 'cpus', ok: false, wanted: 5, offered: 4, reason: 'cpus: 5 wanted, 4 offered' },
        { stage: 'mem', ok: true },
        { stage: 'disk', ok: true },
        { stage: 'gpus', ok: true },
        { stage: 'ports', ok: true, wanted: 1, offered: 4 },
        { stage: 'constraints', ok: true },
      ],
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      'the executor takes a part',
      { cpus: 5, container: { docker: { image: 'x' } } },
      'cpus: 3.9 instead of 5',
    ],
    ['too many ports', { portDefinitions: Array(5).fill({}) }, 'ports: 4 instead of 5'],
    [
      'a port of its own',
      { portDefinitions: [{ port: 80 }], requirePorts: true },
      'any host port instead of 80',
    ],
    ['gpus', { gpus: 2 }, 'gpus: 0 instead of 2'],
    ['a constraint', { constraints: [['rack', 'LIKE', 'a']] }, 'without the constraint rack LIKE a it'],
  ])('finds the change if %s is the obstacle', async (_what, more, text) => {
    const one = await refused(more);
    expect((await get(one, '/v2/apps/x/explain')).json().change.text).toContain(text);
  });

  it('says if no single change is enough', async () => {
    const one = await refused({ cpus: 5, mem: 9000 });
    const answer = (await get(one, '/v2/apps/x/explain')).json();
    expect(answer.change).toBeUndefined();
    expect(answer.nearest.lacks).toEqual(['cpus: 5 wanted, 4 offered', 'mem: 9000 wanted, 4096 offered']);
    expect((await get(one, '/v2/apps/x/explain', 'text/plain')).body).toContain(
      'No single change to the app would place it.\n',
    );
  });

  it('is text on request', async () => {
    const one = await refused({ cpus: 5 });
    expect((await get(one, '/v2/apps/x/explain', 'text/plain')).body).toBe(
      `/x has been waiting for 2 of 2 instances since 2023-11-14T22:13:20.000Z.
  a.example, b.example: cpus: 5 wanted, 4 offered
  cpus: 5 wanted, and no agent has offered more than 4 so far
The nearest fit is a.example, which lacks: cpus: 5 wanted, 4 offered
One change would place it: cpus: 4 instead of 5 would fit on a.example
`,
    );
  });

  it('has no reasons for a running app, and answers 404 for a missing one', async () => {
    const one = await refused({});
    expect((await get(one, '/v2/apps/x/explain')).json()).toMatchObject({
      running: 2,
      missing: 0,
      agents: [],
    });
    expect((await get(one, '/v2/apps/x/explain', 'text/plain')).body).toBe(
      '/x is not waiting: 2 of 2 instances are ready.\n',
    );
    expect((await get(one, '/v2/apps/y/explain')).statusCode).toBe(404);
    expect((await post(one, '/v2/apps/x/explain', {})).statusCode).toBe(404);
  });

  it('says that an app is waiting for other apps', async () => {
    const one = server();
    const apps = [
      { id: '/g/first', cmd: 'sleep 1', cpus: 9 },
      { id: '/g/then', cmd: 'sleep 1', dependencies: ['/g/first'] },
    ];
    await post(one, '/v2/groups', { id: '/g', apps });
    await one.run();
    const { reasons } = (await get(one, '/v2/apps/g/then/explain')).json();
    expect(reasons).toEqual([expect.stringContaining('has not reached this app yet')]);
  });
});
