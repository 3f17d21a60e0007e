import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { account } from '../../../test/scheduler/accounts.ts';
import { call, get, type Server, server } from '../../../test/scheduler/api-server.ts';

const PASSWORD = account('u', 'operator', 'p');
const TOKENS = ['0123456789abcdef', 'fedcba9876543210'];

const OF_TOKENS = TOKENS.map((token, i) => account(`token-${i + 1}`, 'operator', token, 'token'));

async function status(one: Server, authorization?: string, url = '/v2/apps'): Promise<number> {
  const headers = authorization === undefined ? {} : { authorization };
  return (await call(one, 'GET', url, undefined, headers)).statusCode;
}

it('takes each password of a user who has several', async () => {
  const one = server({ accounts: [PASSWORD, account('u', 'operator', 'new'), account('v', 'viewer', 'x')] });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  expect(await status(one, basic('u:p'))).toBe(200);
  expect(await status(one, basic('u:new'))).toBe(200);
  for (const wrong of ['u:x', 'v:p', 'u:']) expect(await status(one, basic(wrong))).toBe(401);
});

describe('tokens', () => {
  it('are accepted like the password, anything else is rejected', async () => {
    const one = server({ accounts: [PASSWORD, ...OF_TOKENS] });
    const basic = Buffer.from('u:p').toString('base64');
    for (const good of [
      `Basic ${basic}`,
      `Bearer ${TOKENS[0]}`,
      `bearer ${TOKENS[1]}`,
      `token=${TOKENS[0]}`,
    ]) {
      expect(await status(one, good)).toBe(200);
    }
    const bad = [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${TOKENS.join('')}`,
      `Basic ${TOKENS[0]}`,
      `Bearer ${basic}`,
    ];
    for (const other of bad) expect(await status(one, other)).toBe(401);
    expect(await status(one, undefined, '/ping')).toBe(200);
    const refused = await get(one, '/v2/apps');
    expect(refused.headers['www-authenticate']).toBe('Basic realm="mesosup", Bearer realm="mesosup"');
    // The answer reveals nothing either.
    expect((await get(one, '/nothing')).statusCode).toBe(401);
  });

  it('are requested if there is no password', async () => {
    const answer = await get(server({ accounts: OF_TOKENS }), '/v2/apps');
    expect([answer.headers['www-authenticate'], answer.json()]).toEqual([
      'Bearer realm="mesosup"',
      { message: 'The token is missing or wrong' },
    ]);
  });
});

describe('pages of other sites', () => {
  const allowed = ['https://ui.example', 'http://localhost:3000'];

  it('may use the API if their origin is allowed', async () => {
    const one = server({ allowedOrigins: allowed, accounts: OF_TOKENS });
    const preflight = await call(one, 'OPTIONS', '/v2/apps', undefined, {
      origin: 'https://ui.example',
      'access-control-request-method': 'PUT',
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': 'https://ui.example',
      'access-control-allow-methods': expect.stringContaining('PUT'),
      'access-control-allow-headers': expect.stringContaining('Authorization'),
      vary: 'Origin',
    });
    const post = await call(
      one,
      'POST',
      '/v2/apps',
      { id: '/x', cmd: 'y' },
      { origin: 'https://ui.example', authorization: `Bearer ${TOKENS[0]}` },
    );
    expect([post.statusCode, post.headers['access-control-allow-origin']]).toEqual([
      201,
      'https://ui.example',
    ]);
    const refused = await call(one, 'GET', '/v2/apps', undefined, { origin: 'https://ui.example' });
    // The page can read that the password is wrong.
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([
      401,
      'https://ui.example',
    ]);
  });

  it('may not change anything if their origin is not allowed', async () => {
    for (const origin of ['https://evil.example', 'https://ui.example:1', 'null']) {
      const one = server({ allowedOrigins: allowed });
      const post = await call(one, 'POST', '/v2/apps', { id: '/x', cmd: 'y' }, { origin });
      const preflight = await call(one, 'OPTIONS', '/v2/apps', undefined, { origin });
      const read = await call(one, 'GET', '/v2/apps', undefined, { origin });
      expect([post.statusCode, preflight.statusCode, read.statusCode]).toEqual([403, 403, 200]);
      for (const answer of [post, preflight, read]) {
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      }
    }
  });

  it('may all use the API with the origin *', async () => {
    const one = server({ allowedOrigins: ['*'] });
    const answer = await call(one, 'POST', '/v2/apps', { id: '/x', cmd: 'y' }, { origin: 'http://any' });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([201, '*']);
  });
});

describe('large answers', () => {
  async function withApps(): Promise<Server> {
    const one = server();
    const apps = Array.from({ length: 30 }, (_, i) => ({ id: `/app-${i}`, cmd: 'sleep 1000' }));
    await call(one, 'PUT', '/v2/apps', apps);
    return one;
  }

  it('are compressed for clients that accept gzip', async () => {
    const one = await withApps();
    const plain = await get(one, '/v2/apps');
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(plain.headers.vary).toBe('Accept-Encoding');
    for (const encoding of ['gzip', 'br, GZIP;q=0.5', 'deflate, *']) {
      const small = await call(one, 'GET', '/v2/apps', undefined, { 'accept-encoding': encoding });
      expect(small.headers['content-encoding']).toBe('gzip');
      expect(small.headers['content-length']).toBe(String(small.rawPayload.length));
      expect(small.rawPayload.length).toBeLessThan(plain.rawPayload.length / 5);
      expect(gunzipSync(small.rawPayload).toString()).toBe(plain.body);
      const again = { 'accept-encoding': 'gzip', 'if-none-match': String(small.headers.etag) };
      expect((await call(one, 'GET', '/v2/apps', undefined, again)).statusCode).toBe(304);
    }
    for (const encoding of ['gzip;q=0', 'identity', 'x-gzip-not', '']) {
      const whole = await call(one, 'GET', '/v2/apps', undefined, { 'accept-encoding': encoding });
      expect(whole.headers).not.toHaveProperty('content-encoding');
    }
    const head = await call(one, 'HEAD', '/v2/apps', undefined, { 'accept-encoding': 'gzip' });
    expect(head.headers).not.toHaveProperty('content-encoding');
  });

  it('are the only answers that are compressed', async () => {
    const answer = await call(server(), 'GET', '/v2/apps', undefined, { 'accept-encoding': 'gzip' });
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });
});
