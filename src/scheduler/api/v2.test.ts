import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closing, get, PAGE, post, type Server, server } from '../../../test/scheduler/api-server.ts';

describe('the rest', () => {
  it('counts in /metrics, and says what it is in /v2/info', async () => {
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

  it('has nothing elsewhere', async () => {
    const answer = await get(server(), '/v1/nothing');
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      { message: 'There is nothing at GET /v1/nothing' },
    ]);
  });

  it('wants the password, where there is one, but for /ping', async () => {
    const one = server({ credentials: 'u:p' });
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

  it('hides its own faults, and survives them', async () => {
    const one = server();
    one.runner.read = () => Promise.reject(new Error('secret'));
    const answer = await get(one, '/v1/apps');
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { message: 'The scheduler failed to answer; its log says why' },
    ]);
    expect(one.faults).toMatchObject([{ message: 'secret' }]);
  });
});

describe('GET /v2/events', () => {
  async function listening(one: Server, query = ''): Promise<IncomingMessage> {
    if (!one.api.server.listening) await one.api.listen({ host: '127.0.0.1', port: 0 });
    const { port } = one.api.server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ host: '127.0.0.1', port, path: `/v2/events${query}` }, resolve);
      outgoing.on('error', reject).end();
      closing.unshift(async () => outgoing.destroy());
    });
  }

  async function firstEvent(stream: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of stream) {
      text += String(chunk);
      const event = text.split('\n\n').find((part) => part.startsWith('event: '));
      if (event !== undefined && text.endsWith('\n\n')) return event;
    }
    return text;
  }

  it('tells of tasks as they change', async () => {
    const one = server();
    const stream = await listening(one, '?event_type=status_update_event&event_type=other');
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
    await one.run();
    const [name, data] = (await firstEvent(stream)).split('\n');
    expect(name).toBe('event: status_update_event');
    expect(JSON.parse(data?.replace('data: ', '') ?? '')).toMatchObject({
      eventType: 'status_update_event',
      appId: '/multidis',
      taskId: 'multidis_0-1700000000000',
      taskStatus: 'TASK_RUNNING',
      host: 'a.example',
      ports: [31_000],
      slaveId: 'S0',
      timestamp: '2023-11-14T22:13:20.000Z',
    });
  });

  it('tells of all events where none is named', async () => {
    const one = server();
    const stream = await listening(one);
    await one.run();
    expect(await firstEvent(stream)).toMatch(/^event: scheduler_registered_event\ndata: \{/);
  });

  it('has no HEAD, which would never be over', async () => {
    const answer = await server().api.inject({ method: 'HEAD', url: '/v2/events' });
    expect(answer.statusCode).toBe(404);
  });
});
