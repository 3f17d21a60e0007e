import { describe, expect, it } from 'vitest';
import { appOf, call, get, SLEEPER, server, withApp } from '../../../../test/scheduler/api-server.ts';

describe.each(['PUT', 'PATCH'] as const)('%s /v2/apps/{id}', (method) => {
  it('changes the fields in the body with a deployment', async () => {
    const one = await withApp({ env: { A: '1' } });
    const before = await appOf(one);
    const answer = await call(one, method, '/v2/apps/sleeper', { cpus: 0.2 });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      version: expect.any(String),
      deploymentId: answer.headers['marathon-deployment-id'],
    });
    const after = await appOf(one);
    expect(after).toMatchObject({ cpus: 0.2, mem: 16, env: { A: '1' }, version: answer.json().version });
    expect(after.deployments).toEqual([{ id: answer.json().deploymentId }]);
    await one.run();
    const rolled = await appOf(one);
    expect(rolled).toMatchObject({ deployments: [], tasksRunning: 1 });
    expect(rolled.tasks[0].id).not.toBe(before.tasks[0].id);
    expect(rolled.versionInfo).toEqual({
      lastScalingAt: before.version,
      lastConfigChangeAt: answer.json().version,
    });
  });

  it('removes a field that is null', async () => {
    const one = await withApp({ env: { A: '1' }, user: 'nobody' });
    await call(one, method, '/v2/apps/sleeper', { env: null, user: null });
    const app = await appOf(one);
    expect(app.env).toEqual({});
    expect(app).not.toHaveProperty('user');
  });

  it('reports errors', async () => {
    const one = await withApp();
    const answer = await call(one, method, '/v2/apps/sleeper', { instances: -1 });
    expect([answer.statusCode, answer.json()]).toEqual([
      422,
      { message: 'Object is not valid', details: [{ path: '/instances', errors: ['must be at least 0'] }] },
    ]);
    for (const body of ['', '[]', '5', 'null']) {
      expect((await call(one, method, '/v2/apps/sleeper', body)).statusCode).toBe(422);
    }
    expect((await call(one, method, '/v2/apps/sleeper', '{"cpus":')).json().message).toBe('Invalid JSON');
    expect((await call(one, method, '/v2/apps/sleeper/tasks', {})).statusCode).toBe(404);
    const flag = await call(one, method, '/v2/apps/sleeper?force=maybe', {});
    expect([flag.statusCode, flag.json()]).toEqual([
      400,
      { message: "force is 'maybe': expected true or false" },
    ]);
  });

  it('changes several apps at once, all or none', async () => {
    const one = await withApp();
    await call(one, 'POST', '/v2/apps', { ...SLEEPER, id: '/other' });
    await one.run();
    const bad = await call(one, method, '/v2/apps', [
      { id: '/sleeper', cpus: 0.3 },
      { id: 'other', cpus: 'x' },
    ]);
    expect(bad.statusCode).toBe(422);
    expect((await appOf(one)).cpus).toBe(0.1);
    const good = await call(one, method, '/v2/apps', [
      { id: '/sleeper', cpus: 0.3 },
      { id: 'other', cpus: 0.4 },
    ]);
    expect(good.json()).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
    expect([(await appOf(one)).cpus, (await appOf(one, '/other')).cpus]).toEqual([0.3, 0.4]);
    expect((await get(one, '/v2/deployments')).json()).toMatchObject([
      { id: good.json().deploymentId, affectedApps: ['/sleeper', '/other'] },
    ]);
    for (const body of [{}, 5, [{ cpus: 1 }], [5]]) {
      expect((await call(one, method, '/v2/apps', body)).statusCode).toBe(422);
    }
  });

  it('reverts to a version', async () => {
    const one = await withApp();
    const { version } = await appOf(one);
    for (const [url, body] of [
      ['/v2/apps/sleeper', { version }],
      ['/v2/apps/sleeper', { id: '/sleeper', version }],
      ['/v2/apps', [{ id: '/sleeper', version }]],
    ] as const) {
      await call(one, 'PUT', '/v2/apps/sleeper?force=true', { cpus: 0.2 });
      expect((await call(one, method, `${url}?force=true`, body)).statusCode).toBe(200);
      expect((await appOf(one)).cpus).toBe(0.1);
    }
    const unknown = await call(one, method, '/v2/apps/sleeper', { version: '2001-01-01T00:00:00.000Z' });
    expect([unknown.statusCode, unknown.json()]).toEqual([
      404,
      { message: "App '/sleeper' has no version '2001-01-01T00:00:00.000Z'" },
    ]);
  });

  it('is rejected during another deployment of the app, unless forced', async () => {
    const one = await withApp();
    const first = (await call(one, method, '/v2/apps/sleeper', { cpus: 0.2 })).json().deploymentId;
    // Python clients send False.
    for (const query of ['', '?force=false', '?force=False']) {
      const answer = await call(one, method, `/v2/apps/sleeper${query}`, { cpus: 0.3 });
      expect([answer.statusCode, answer.json()]).toEqual([
        409,
        {
          message:
            "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
          deployments: [{ id: first }],
        },
      ]);
    }
    const forced = await call(one, method, '/v2/apps/sleeper?force=True', { cpus: 0.3 });
    expect((await get(one, '/v2/deployments')).json()).toMatchObject([{ id: forced.json().deploymentId }]);
  });

  it('returns the plan with dryRun', async () => {
    const one = await withApp();
    const steps = async (fields: object) =>
      (await call(one, method, '/v2/apps/sleeper?dryRun=true', fields)).json();
    expect(await steps({ cpus: 0.2 })).toEqual({
      steps: [{ actions: [{ action: 'RestartApplication', app: '/sleeper' }] }],
    });
    expect(await steps({ instances: 2 })).toEqual({
      steps: [{ actions: [{ action: 'ScaleApplication', app: '/sleeper' }] }],
    });
    expect(await steps({ cpus: 0.1 })).toEqual({ steps: [] });
    expect((await appOf(one)).cpus).toBe(0.1);
  });
});

describe('PUT and PATCH differ', () => {
  it('in that PUT creates a missing app', async () => {
    const one = server();
    const made = await call(one, 'PUT', '/v2/apps/new', { cmd: 'sleep 1' });
    expect([made.statusCode, made.headers.location]).toEqual([201, '/v2/apps/new']);
    const patched = await call(one, 'PATCH', '/v2/apps/none', { cmd: 'sleep 1' });
    expect([patched.statusCode, patched.json()]).toEqual([404, { message: "App '/none' does not exist" }]);
    expect((await call(one, 'PATCH', '/v2/apps', [{ id: '/none' }])).statusCode).toBe(404);
    expect((await call(one, 'PUT', '/v2/apps/a/versions', { cmd: 'x' })).statusCode).toBe(404);
    expect((await call(one, 'PUT', '/v2/apps/A_b', { cmd: 'x' })).statusCode).toBe(422);
  });

  it('in that PUT replaces all fields with partialUpdate=false', async () => {
    const one = await withApp({ env: { A: '1' } });
    await call(one, 'PUT', '/v2/apps/sleeper?partialUpdate=false', { cmd: 'sleep 2' });
    expect(await appOf(one)).toMatchObject({ cmd: 'sleep 2', env: {}, cpus: 1, mem: 128 });
  });

  it('accepts the answer of GET without its version, and changes nothing', async () => {
    const one = await withApp({ healthChecks: [{ protocol: 'COMMAND', command: { value: 'true' } }] });
    const app = await appOf(one);
    const { version: _, ...sent } = app;
    const again = await call(one, 'PUT', '/v2/apps/sleeper?partialUpdate=false&dryRun=true', sent);
    expect(again.json()).toEqual({ steps: [] });
    const put = await call(one, 'PUT', '/v2/apps', [sent]);
    expect(put.statusCode).toBe(200);
    expect(await appOf(one)).toEqual(app);
  });

  it.each([
    ['PUT', '/v2/apps/sleeper', '/version'],
    ['PATCH', '/v2/apps/sleeper', '/version'],
    ['PUT', '/v2/apps', '(0)/version'],
  ] as const)('refuses a version beside other fields: %s %s', async (method, url, path) => {
    const one = await withApp();
    const { id, version } = await appOf(one);
    const fields = { id, version, instances: 2 };
    const answer = await call(one, method, url, url === '/v2/apps' ? [fields] : fields);
    const errors = ['reverts the app to that version: leave it out to change instances'];
    expect([answer.statusCode, answer.json().details]).toEqual([422, [{ path, errors }]]);
    const alone = { id, version };
    const reverted = await call(one, method, url, url === '/v2/apps' ? [alone] : alone);
    expect(reverted.statusCode).toBe(200);
  });
});

describe('the other calls of an app', () => {
  it('restart it', async () => {
    const one = await withApp();
    const before = await appOf(one);
    const answer = await call(one, 'POST', '/v2/apps/sleeper/restart');
    expect(answer.json()).toEqual({ version: expect.any(String), deploymentId: expect.any(String) });
    expect((await call(one, 'POST', '/v2/apps/sleeper/restart')).statusCode).toBe(409);
    await one.run();
    expect((await appOf(one)).tasks[0].id).not.toBe(before.tasks[0].id);
    expect((await call(one, 'POST', '/v2/apps/none/restart')).json()).toEqual({
      message: "App '/none' does not exist",
    });
    expect((await call(one, 'POST', '/v2/apps/sleeper/other')).statusCode).toBe(404);
  });

  it('list its versions, newest first, and show each of them', async () => {
    const one = await withApp();
    const first = (await appOf(one)).version;
    const second = (await call(one, 'PUT', '/v2/apps/sleeper', { cpus: 0.2 })).json().version;
    expect((await get(one, '/v2/apps/sleeper/versions')).json()).toEqual({ versions: [second, first] });
    expect((await get(one, `/v2/apps/sleeper/versions/${first}`)).json()).toMatchObject({
      id: '/sleeper',
      cpus: 0.1,
      version: first,
    });
    expect((await get(one, '/v2/apps/sleeper/versions/x')).json()).toEqual({
      message: "App '/sleeper' has no version 'x'",
    });
    expect((await get(one, '/v2/apps/none/versions')).statusCode).toBe(404);
    expect((await get(one, '/v2/apps/none/versions/x')).statusCode).toBe(404);
  });
});
