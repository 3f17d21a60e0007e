import { describe, expect, it } from 'vitest';
import { account } from '../../../../test/scheduler/accounts.ts';
import { get, PAGE, post, server } from '../../../../test/scheduler/api-server.ts';
import { Members } from '../../members.ts';

describe('the other routes', () => {
  it('count in /metrics, and describe the scheduler in /v2/info', async () => {
    const one = server();
    await post(one, '/v1/apps/start', PAGE);
    expect((await get(one, '/v2/info')).json()).toMatchObject({
      name: 'mesosup',
      leader: 'host:8080',
      elected: true,
      frameworkId: null,
    });
    expect((await get(one, '/v2/info?embed=connected')).json().connected).toBe(false);
    await one.run();
    expect((await get(one, '/metrics')).json().gauges).toMatchObject({
      'mesosup.apps': { value: 1 },
      'mesosup.tasks.TASK_RUNNING': { value: 2 },
      'mesosup.connected': { value: 1 },
    });
    expect((await get(one, '/v2/info?embed=connected')).json()).toMatchObject({
      connected: true,
      frameworkId: 'framework',
    });
  });

  it('name masters and schedulers in /v2/info on request', async () => {
    const one = server();
    expect((await get(one, '/v2/info')).json()).not.toHaveProperty('masters');
    const { masters, schedulers } = (await get(one, '/v2/info?embed=masters&embed=schedulers')).json();
    expect([masters, schedulers]).toEqual([
      [],
      [
        { address: 'host:8080', leads: true, urls: ['http://host:8080'] },
        { address: 'other:8080', leads: false, urls: ['http://other:8080'] },
      ],
    ]);
    const lost = () => Promise.reject(new Error('ZooKeeper was not reached yet'));
    const members = new Members({ masters: lost, schedulers: lost, now: Date.now });
    expect((await get(server({ members }), '/v2/info?embed=masters&embed=schedulers')).json()).toMatchObject({
      masters: [],
      mastersProblem: 'ZooKeeper was not reached yet',
      schedulers: [{ address: 'host:8080' }],
    });
  });

  it('answer 404 for unknown paths', async () => {
    const answer = await get(server(), '/v1/nothing');
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { message: 'There is nothing at GET /v1/nothing' },
    ]);
  });

  it('require the password if there is one, except /ping', async () => {
    const one = server({ accounts: [account('u', 'operator', 'p')] });
    const refused = await get(one, '/v1/apps');
    expect([refused.statusCode, refused.headers['www-authenticate']]).toEqual([401, 'Basic realm="mesosup"']);
    const as = async (text: string) => {
      const authorization = `Basic ${Buffer.from(text).toString('base64')}`;
      return (await one.api.inject({ url: '/v1/apps', headers: { authorization } })).statusCode;
    };
    expect(await as('u:q')).toBe(401);
    expect(await as('u:p')).toBe(200);
    expect((await get(one, '/ping')).statusCode).toBe(200);
  });

  it('hide and survive internal errors', async () => {
    const one = server();
    one.runner.read = () => Promise.reject(new Error('secret'));
    const answer = await get(one, '/v1/apps');
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { message: 'Internal error of the scheduler; see its log' },
    ]);
    expect(one.faults).toMatchObject([{ message: 'secret' }]);
  });
});
