import { describe, expect, it } from 'vitest';
import { account, asUser } from '../../test/scheduler/accounts.ts';
import { call, type Server, SLEEPER, server } from '../../test/scheduler/api-server.ts';
import { ApiClient, basicAuthorization, tokenAuthorization } from './api-client.ts';
import { ApiError } from './api-error.ts';
import type { Method } from './operation-types.ts';

/** A client of the scheduler's own API, without a socket. */
function clientOf(one: Server, authorization?: string): ApiClient {
  const send = (async (url: string, { method = 'GET', body, headers }: RequestInit = {}) => {
    const path = url.slice('http://one'.length);
    const answer = await call(one, method as Method, path, body, { ...(headers as object) });
    return new Response(answer.body, { status: answer.statusCode });
  }) as typeof fetch;
  return new ApiClient({ urls: ['http://one/'], authorization, fetch: send });
}

type Answer = Response | Error | (() => Response);

/** A client whose requests get these answers, in order. */
function scripted(urls: string[], answers: Answer[]): { client: ApiClient; sent: string[] } {
  const sent: string[] = [];
  const send = (async (url: string, init: RequestInit = {}) => {
    const last = new Headers(init.headers).get('Last-Event-ID');
    sent.push([init.method, url, ...(last === null ? [] : [last])].join(' '));
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    if (answer === undefined) throw new Error('no answer is left');
    return typeof answer === 'function' ? answer() : answer;
  }) as typeof fetch;
  return { client: new ApiClient({ urls, fetch: send }), sent };
}

function failed(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) });
}
const busy = () => new Response('{"message":"no leader"}', { status: 503 });
const ok = (json: unknown = {}) => new Response(JSON.stringify(json));

describe('ApiClient', () => {
  it('calls the operations of the scheduler, with ids as paths and repeated parameters', async () => {
    const one = server();
    const client = clientOf(one);
    const made = await client.call('POST', '/v2/apps', { body: { ...SLEEPER, id: '/a/sleeper' } });
    expect('id' in made && made.id).toBe('/a/sleeper');
    await one.run();
    const { app } = await client.call('GET', '/v2/apps/{id}', {
      path: { id: '/a/sleeper' },
      query: { embed: ['app.tasks', 'app.taskStats'] },
    });
    expect([app.instances, app.taskStats?.totalSummary.stats.counts.staged]).toEqual([1, app.tasksStaged]);
    expect(await client.text('/v2/apps/{id}/explain', { path: { id: 'a/sleeper' } })).toContain('/a/sleeper');
  });

  it('reports a refusal with its fields', async () => {
    const client = clientOf(server());
    const error = await client
      .call('POST', '/v2/apps', { body: { id: 'x', cmd: 'y', healthChecks: [{ protocol: 'COMMAND' }] } })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      status: 422,
      message: 'http://one: healthChecks[0].command may not be empty',
      fields: [{ field: 'healthChecks[0].command' }],
    });
  });

  it('names the deployment that locks an app', async () => {
    const one = server();
    const client = clientOf(one);
    await client.call('POST', '/v2/apps', { body: { ...SLEEPER, id: '/x' } });
    const [running] = await client.call('GET', '/v2/deployments');
    const change = client.call('PUT', '/v2/apps/{id}', { path: { id: '/x' }, body: { cmd: 'z' } });
    await expect(change).rejects.toMatchObject({
      status: 409,
      deployments: [running?.id],
      remedy: expect.stringContaining(`watch ${running?.id}`),
    });
  });

  it('sends user and password, also beyond ASCII', async () => {
    const one = server({ accounts: [account('ötto', 'viewer', 'pä:ss')] });
    await expect(clientOf(one).call('GET', '/v2/apps')).rejects.toMatchObject({ status: 401 });
    const { authorization } = asUser('ötto', 'pä:ss') as { authorization: string };
    expect(basicAuthorization('ötto', 'pä:ss')).toBe(authorization);
    expect(await clientOf(one, authorization).call('GET', '/v2/apps')).toEqual({ apps: [] });
  });

  it('reads from the next scheduler, and stays with it', async () => {
    const { client, sent } = scripted(['http://a', 'http://b'], [failed('ECONNREFUSED'), ok(), ok()]);
    await client.call('GET', '/v2/info');
    await client.call('GET', '/v2/info');
    expect(sent).toEqual(['GET http://a/v2/info', 'GET http://b/v2/info', 'GET http://b/v2/info']);
  });

  it('names the server, and says what to do about it', async () => {
    const send = (async () => new Response('no', { status: 403 })) as typeof fetch;
    const own = { server: 'Marathon', remedies: { 403: 'Ask.', unreachable: 'Look.' } };
    const client = new ApiClient({ urls: ['http://m'], fetch: send, ...own });
    await expect(client.call('GET', '/v2/info')).rejects.toMatchObject({ remedy: 'Ask.' });
    const text = new ApiClient({
      urls: ['http://m'],
      fetch: (async () => new Response('<')) as typeof fetch,
    });
    await expect(text.call('GET', '/v2/info')).rejects.toThrow('http://m does not answer like a scheduler');
  });

  it('asks each scheduler when several have no leader', async () => {
    const { client, sent } = scripted(['http://a', 'http://b', 'http://c'], [busy(), busy(), ok()]);
    await client.call('GET', '/v2/info', {}, { patienceMs: 0 });
    expect(sent.map((one) => one.slice(0, 12))).toEqual(['GET http://a', 'GET http://b', 'GET http://c']);
  });

  it('repeats a request that reads while the schedulers have no leader', async () => {
    const { client, sent } = scripted(['http://a'], [busy(), failed('ECONNRESET'), ok({ leader: 'x' })]);
    expect(await client.call('GET', '/v2/leader')).toEqual({ leader: 'x' });
    expect(sent).toHaveLength(3);
  });

  it('repeats a change only if it was not sent', async () => {
    const unsent = scripted(['http://a', 'http://b'], [failed('ECONNREFUSED'), ok()]);
    await unsent.client.call('POST', '/v2/apps', { body: {} });
    expect(unsent.sent).toHaveLength(2);
    const sent = scripted(['http://a', 'http://b'], [failed('ECONNRESET'), ok()]);
    await expect(sent.client.call('POST', '/v2/apps', { body: {} })).rejects.toMatchObject({
      message: 'http://a did not answer: connect ECONNRESET',
      remedy: expect.stringContaining('may have been made'),
    });
    const refused = scripted(['http://a', 'http://b'], [busy(), ok()]);
    await expect(refused.client.call('POST', '/v2/apps', { body: {} })).rejects.toMatchObject({
      status: 503,
    });
    const harmless = scripted(['http://a'], [failed('ECONNRESET'), busy(), ok()]);
    await harmless.client.call('POST', '/v2/apps', { body: {} }, { isHarmless: true });
    expect(harmless.sent).toHaveLength(3);
  });

  it('knows TLS from a scheme in capitals', async () => {
    const { client, sent } = scripted(
      ['HTTPS://a/'],
      [new Response(null, { status: 302, headers: { Location: 'http://b/v2/leader' } })],
    );
    await expect(client.call('GET', '/v2/leader', {}, { patienceMs: 0 })).rejects.toThrow('without TLS');
    expect([client.webSocket('/x').url, sent]).toEqual(['wss://a/x', ['GET https://a/v2/leader']]);
  });

  it('sends its credentials again to the leader to which a scheduler redirects, but not without TLS', async () => {
    const sent: string[] = [];
    const answers = [
      new Response(null, { status: 302, headers: { Location: 'https://leader/v2/info' } }),
      ok(),
      new Response(null, { status: 302, headers: { Location: 'http://leader/v2/info' } }),
    ];
    const send = (async (url: string, init: RequestInit = {}) => {
      sent.push(`${url} ${new Headers(init.headers).get('Authorization')}`);
      return answers.shift();
    }) as typeof fetch;
    const client = new ApiClient({ urls: ['https://a'], authorization: 'Bearer t', fetch: send });
    await client.call('GET', '/v2/info');
    expect(sent).toEqual(['https://a/v2/info Bearer t', 'https://leader/v2/info Bearer t']);
    await expect(client.call('GET', '/v2/info', {}, { patienceMs: 0 })).rejects.toThrow('without TLS');
    expect(sent).toHaveLength(3);
  });

  it('sends its credentials to no other page', async () => {
    const login = new Response(null, {
      status: 302,
      headers: { Location: 'https://login/start?to=/v2/info' },
    });
    const { client, sent } = scripted(['https://a'], [login]);
    await expect(client.call('GET', '/v2/info', {}, { patienceMs: 0 })).rejects.toThrow(
      'it redirects to https://login/start, which is not its leader',
    );
    expect(sent).toEqual(['GET https://a/v2/info']);
    const start = new Response(null, { status: 302, headers: { Location: 'https://login/start/' } });
    const root = scripted(['https://a'], [start]);
    await expect(root.client.send({ method: 'POST', path: '/' })).rejects.toThrow('which is not its leader');
  });

  it('shows no token that a header can not contain', () => {
    expect(tokenAuthorization('a.B-1=')).toBe('Bearer a.B-1=');
    for (const token of ['se\ncret', 'se\u0001cret', '\ufeffsecret', 'se cret']) {
      expect(() => tokenAuthorization(token)).toThrow(/^(?!.*cret).*the token contains/);
    }
  });

  it('asks the next scheduler when one accepts connections and does not answer', async () => {
    const sent: string[] = [];
    const send = ((url: string, { signal }: RequestInit = {}) => {
      sent.push(url);
      if (url.startsWith('http://b')) return Promise.resolve(ok({ leader: 'b' }));
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      });
    }) as typeof fetch;
    const limits = { answerMs: 20, patienceMs: 0 };
    const two = new ApiClient({ urls: ['http://a', 'http://b'], fetch: send });
    expect(await two.call('GET', '/v2/leader', {}, limits)).toEqual({ leader: 'b' });
    const one = new ApiClient({ urls: ['http://a'], fetch: send });
    await expect(one.call('GET', '/v2/leader', {}, limits)).rejects.toMatchObject({
      message: 'no scheduler answers at http://a: no answer in 0.02 s',
    });
  });

  it('repeats a request that reads when its answer is interrupted, and no change', async () => {
    const cut = () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('{"leader":'));
            setTimeout(
              () => controller.error(new TypeError('terminated', { cause: new Error('closed') })),
              1,
            );
          },
        }),
      );
    const { client, sent } = scripted(['http://a'], [cut, ok({ leader: 'x' }), cut, cut]);
    expect(await client.call('GET', '/v2/leader')).toEqual({ leader: 'x' });
    expect(sent).toHaveLength(2);
    await expect(client.call('GET', '/v2/leader', {}, { patienceMs: 0 })).rejects.toMatchObject({
      name: 'ApiError',
      message: 'no scheduler answers at http://a: closed',
    });
    await expect(client.call('POST', '/v2/apps', { body: {} })).rejects.toMatchObject({
      message: 'http://a did not answer: closed',
      remedy: expect.stringContaining('may have been made'),
    });
  });

  it('resumes after the last id, also when a connection ends before the next one', async () => {
    const streams = ['data: 1\nid: one\n\n', 'data: note\n\n', 'event: end\ndata: {}\n\n'];
    const { client, sent } = scripted(
      ['http://a'],
      streams.map((text) => new Response(text)),
    );
    const path = { path: { id: 't' } };
    for await (const _ of client.events('/v2/tasks/{id}/log', path, { endsWith: ['end'] }));
    expect(sent.slice(1)).toEqual(['GET http://a/v2/tasks/t/log one', 'GET http://a/v2/tasks/t/log one']);
  });

  it('resumes at the id that comes before the first event', async () => {
    const streams = ['id: start\n\nid: next\n', 'id: start\n\nevent: end\ndata: {}\n\n'];
    const { client, sent } = scripted(
      ['http://a'],
      streams.map((text) => new Response(text)),
    );
    const path = { path: { id: 't' } };
    for await (const _ of client.events('/v2/tasks/{id}/log', path, { endsWith: ['end'] }));
    expect(sent.slice(1)).toEqual(['GET http://a/v2/tasks/t/log start']);
  });

  it('resumes a stream when a new leader has found the agents, but does not begin one that is refused', async () => {
    const unknown = () => new Response('{"message":"no master has registered"}', { status: 502 });
    const interrupted = () => new Response('data: 1\nid: one\n\n');
    const rest = new Response('event: end\ndata: {}\n\n');
    const path = { path: { id: 't' } };
    const { client, sent } = scripted(['http://a'], [interrupted, unknown, rest]);
    for await (const _ of client.events('/v2/tasks/{id}/log', path, { endsWith: ['end'] }));
    expect(sent.slice(1)).toEqual(['GET http://a/v2/tasks/t/log one', 'GET http://a/v2/tasks/t/log one']);
    const read = async (answers: Answer[], patienceMs = 5000, awaits = false) => {
      const { client } = scripted(['http://a'], answers);
      const limits = { patienceMs, awaits, endsWith: ['end'] };
      for await (const _ of client.events('/v2/tasks/{id}/log', path, limits));
    };
    await expect(read([unknown])).rejects.toMatchObject({ status: 502 });
    await read([unknown, new Response('event: end\ndata: {}\n\n')], 5000, true);
    await expect(read([interrupted, unknown], 0)).rejects.toMatchObject({ status: 502 });
    const gone = new Response('{}', { status: 404 });
    await expect(read([interrupted, gone])).rejects.toMatchObject({ status: 404 });
  });

  it('gives up on unreachable schedulers when its patience ends', async () => {
    const answers = [failed('ECONNREFUSED'), failed('ECONNREFUSED')];
    const { client, sent } = scripted(['http://a', 'http://b'], answers);
    await expect(client.call('GET', '/v2/apps', {}, { patienceMs: 0 })).rejects.toMatchObject({
      message: 'no scheduler answers at http://b: connect ECONNREFUSED',
    });
    expect(sent).toHaveLength(2);
  });

  it('resumes a stream of events on another scheduler', async () => {
    const interrupted = () =>
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode('event: stdout\ndata: 1\nid: one\n\n'));
            setTimeout(() => controller.error(failed('ECONNRESET')), 1);
          },
        }),
      );
    const rest = new Response('event: stdout\ndata: 2\nid: two\n\nevent: end\ndata: {}\n\n');
    const { client, sent } = scripted(['http://a', 'http://b'], [interrupted, failed('ECONNREFUSED'), rest]);
    const read: string[] = [];
    const path = { path: { id: 't' }, query: { follow: true } };
    for await (const { data } of client.events('/v2/tasks/{id}/log', path, { endsWith: ['end'] }))
      read.push(data);
    expect(read).toEqual(['1', '2', '{}']);
    expect(sent.at(-1)).toBe('GET http://b/v2/tasks/t/log?follow=true one');
  });
});
