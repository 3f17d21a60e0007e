import { describe, expect, it } from 'vitest';
import { account, asUser } from '../../../../test/scheduler/accounts.ts';
import { call, type Server, SLEEPER, server } from '../../../../test/scheduler/api-server.ts';
import { formatHash, hashPassword, parseHash } from '../scrypt-hash.ts';

const TOKEN = '0123456789abcdef';
const ACCOUNTS = [
  account('olga', 'operator', 'o'),
  account('vera', 'viewer', 'v'),
  account('robot', 'viewer', TOKEN, 'token'),
];
const OWN = { host: 'a:1', origin: 'http://a:1' };

/** @returns the value of the Cookie header for a new session */
async function signIn(one: Server, body: object, headers = {}): Promise<string> {
  const answer = await call(one, 'POST', '/v2/session', body, headers);
  expect(answer.statusCode).toBe(200);
  return String(answer.headers['set-cookie']).split(';')[0] ?? '';
}

const olga = (one: Server) => signIn(one, { user: 'olga', password: 'o' });

describe('a session', () => {
  it('authenticates like a password, with the role of the user, until the user signs out', async () => {
    const one = server({ accounts: ACCOUNTS });
    expect((await call(one, 'GET', '/v2/session')).json()).toEqual({ required: true });
    const cookie = await olga(one);
    const shown = await call(one, 'GET', '/v2/session', undefined, { cookie });
    expect(shown.json()).toEqual({
      required: true,
      user: 'olga',
      role: 'operator',
      expiresAt: '2023-11-15T10:13:20.000Z',
      idleSeconds: 3600,
    });
    expect(shown.headers['cache-control']).toBe('no-store');
    const made = await call(one, 'POST', '/v2/apps', SLEEPER, { cookie, ...OWN });
    expect(made.statusCode).toBe(201);
    const out = await call(one, 'DELETE', '/v2/session', undefined, { cookie, ...OWN });
    expect([out.statusCode, out.headers['set-cookie']]).toEqual([
      204,
      'mesosup-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0',
    ]);
    expect((await call(one, 'GET', '/v2/apps', undefined, { cookie })).statusCode).toBe(401);
    expect((await call(one, 'GET', '/v2/session', undefined, { cookie })).json()).toEqual({ required: true });
  });

  it('of a viewer or of a token may not change anything, and shows no environment', async () => {
    const one = server({ accounts: ACCOUNTS });
    const body = { ...SLEEPER, env: { A: 'secret' } };
    await call(one, 'POST', '/v2/apps', body, { cookie: await olga(one), ...OWN });
    for (const credentials of [{ user: 'vera', password: 'v' }, { token: TOKEN }]) {
      const headers = { cookie: await signIn(one, credentials), ...OWN };
      const shown = await call(one, 'GET', '/v2/apps/sleeper', undefined, headers);
      expect(shown.json().app.env).toEqual({ A: '********' });
      expect((await call(one, 'DELETE', '/v2/apps/sleeper', undefined, headers)).statusCode).toBe(403);
    }
  });

  it('ends also if the browser sends a password beside the cookie', async () => {
    const one = server({ accounts: ACCOUNTS });
    const { authorization } = asUser('olga', 'o');
    for (const path of ['sign out', 'sign in']) {
      const cookie = await olga(one);
      const headers = { cookie, authorization, ...OWN };
      if (path === 'sign out') await call(one, 'DELETE', '/v2/session', undefined, headers);
      else await signIn(one, { user: 'olga', password: 'o' }, headers);
      expect((await call(one, 'GET', '/v2/apps', undefined, { cookie })).statusCode).toBe(401);
    }
  });

  it('makes answers that no shared cache may store', async () => {
    const one = server({ accounts: ACCOUNTS });
    const { headers } = await call(one, 'GET', '/v2/apps', undefined, { cookie: await olga(one) });
    expect(headers['cache-control']).toBe('private, no-cache');
  });

  it('is not needed without users', async () => {
    const one = server();
    expect((await call(one, 'GET', '/v2/session')).json()).toEqual({ required: false, role: 'operator' });
    const answer = await call(one, 'POST', '/v2/session', { user: 'a', password: 'b' });
    expect(answer.statusCode).toBe(409);
    expect((await call(one, 'DELETE', '/v2/session')).statusCode).toBe(204);
  });

  it('ends when the same browser signs in again', async () => {
    const one = server({ accounts: ACCOUNTS });
    const cookie = await olga(one);
    const next = await signIn(one, { user: 'vera', password: 'v' }, { cookie, ...OWN });
    expect((await call(one, 'GET', '/v2/apps', undefined, { cookie })).statusCode).toBe(401);
    expect((await call(one, 'GET', '/v2/session', undefined, { cookie: next })).json().user).toBe('vera');
  });

  it('ends when it was not used for a while, and at the latest after its lifetime', async () => {
    let now = 1_700_000_000_000;
    const one = server({ accounts: ACCOUNTS, now: () => now });
    const status = async (cookie: string) =>
      (await call(one, 'GET', '/v2/apps', undefined, { cookie })).statusCode;
    const [idle, used] = [await olga(one), await olga(one)];
    for (let minutes = 0; minutes < 12 * 60; minutes += 59) {
      expect(await status(used)).toBe(200);
      now += 59 * 60_000;
    }
    expect([await status(used), await status(idle)]).toEqual([401, 401]);
    const brief = await olga(one);
    now += 3_599_999;
    expect(await status(brief)).toBe(200);
    now += 3_600_000;
    expect(await status(brief)).toBe(401);
  });

  it('yields to an Authorization header', async () => {
    const one = server({ accounts: ACCOUNTS });
    const headers = { cookie: await olga(one), ...OWN, ...asUser('vera', 'v') };
    expect((await call(one, 'POST', '/v2/apps', SLEEPER, headers)).statusCode).toBe(403);
    expect((await call(one, 'GET', '/v2/session', undefined, headers)).json()).toEqual({
      required: true,
      user: 'vera',
      role: 'viewer',
    });
  });
});

describe('the cookie of a session', () => {
  it('can be used by no script, no other site, and with TLS by no other host', async () => {
    const one = server({ accounts: ACCOUNTS });
    const body = { user: 'olga', password: 'o' };
    const plain = await call(one, 'POST', '/v2/session', body);
    expect(plain.headers['set-cookie']).toMatch(
      /^mesosup-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const secure = await call(one, 'POST', '/v2/session', body, { 'x-forwarded-proto': 'https' });
    const cookie = String(secure.headers['set-cookie']);
    expect(cookie).toMatch(/^__Host-mesosup-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    // With TLS, the name without a prefix is not accepted: another host of the domain could set it.
    const [, token] = /=([\w-]+);/.exec(cookie) ?? [];
    for (const [name, status] of [
      ['__Host-mesosup-session', 200],
      ['mesosup-session', 401],
    ]) {
      const headers = { 'x-forwarded-proto': 'https', cookie: `${name}=${token}` };
      expect((await call(one, 'GET', '/v2/apps', undefined, headers)).statusCode).toBe(status);
    }
  });

  it('is refused if it is damaged, repeated or unknown', async () => {
    const one = server({ accounts: ACCOUNTS });
    const cookie = await olga(one);
    const [name, token = ''] = cookie.split('=');
    const hostile = [
      `${cookie}x`,
      cookie.slice(0, -1),
      `${name}=`,
      `${name}="${token}"`,
      `${cookie}; ${cookie}`,
      `${name}=${'A'.repeat(43)}; ${cookie}`,
      `${name}=${'a'.repeat(43)}`,
      `${name}=__proto__`,
      `x${cookie}`,
      '=;;=;',
      `${name}=${'%00'.repeat(3000)}`,
      ';'.repeat(8000),
    ];
    for (const bad of hostile) {
      const answer = await call(one, 'GET', '/v2/apps', undefined, { cookie: bad });
      expect([answer.statusCode, bad]).toEqual([401, bad]);
    }
    const good = await call(one, 'GET', '/v2/apps', undefined, { cookie: `a=b;  ${cookie} ;c` });
    expect(good.statusCode).toBe(200);
  });

  it('makes no browser ask for a password', async () => {
    const one = server({ accounts: ACCOUNTS });
    const challenge = async (headers: Record<string, string>) =>
      (await call(one, 'GET', '/v2/apps', undefined, headers)).headers['www-authenticate'];
    const basic = 'Basic realm="mesosup", Bearer realm="mesosup"';
    expect(await challenge({})).toBe(basic);
    for (const headers of [
      { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' },
      // Node's fetch.
      { 'sec-fetch-mode': 'cors' },
    ]) {
      expect(await challenge(headers)).toBe(basic);
    }
    for (const headers of [
      { cookie: 'mesosup-session=x' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
      { 'x-requested-with': 'mesosup' },
    ] as Record<string, string>[]) {
      expect(await challenge(headers)).toBe('Session realm="mesosup"');
    }
  });
});

describe('another page with the cookie', () => {
  const elsewhere: Record<string, string>[] = [
    { origin: 'http://a:2' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'http://a:1.evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://a:1', 'sec-fetch-site': 'same-site' },
  ];

  it('can change nothing, even if its origin is allowed', async () => {
    const allowedOrigins = ['http://a:2', 'https://evil.example', '*'];
    const one = server({ accounts: ACCOUNTS, allowedOrigins });
    const cookie = await olga(one);
    const token = cookie.split('=')[1] ?? '';
    // Without both headers, too: no browser sends a change without an Origin.
    for (const page of [...elsewhere, {}, { 'sec-fetch-site': 'none' }]) {
      const headers = { host: 'a:1', cookie, ...page };
      for (const [method, url, body] of [
        ['POST', '/v2/apps', SLEEPER],
        ['PUT', '/v2/apps/x', SLEEPER],
        ['PATCH', '/v2/apps/x', SLEEPER],
        ['DELETE', '/v2/apps/x', undefined],
        ['DELETE', '/v2/session', undefined],
        ['POST', '/v1/apps/start', SLEEPER],
      ] as const) {
        const answer = await call(one, method, url, body, headers);
        expect([method, answer.statusCode, page]).toEqual([method, 403, page]);
        expect(answer.body).not.toContain(token);
      }
    }
    expect((await call(one, 'GET', '/v2/apps', undefined, { cookie })).json()).toEqual({ apps: [] });
    for (const own of [{ 'sec-fetch-site': 'same-origin' }, OWN]) {
      const headers = { host: 'a:1', cookie, ...own };
      const answer = await call(one, 'PUT', '/v2/apps/x', { cmd: 'x' }, headers);
      expect(answer.statusCode).toBe(201);
      expect((await call(one, 'DELETE', '/v2/apps/x?force=true', undefined, headers)).statusCode).toBe(200);
    }
  });

  it('reads nothing, and can not sign in as somebody else', async () => {
    const one = server({ accounts: ACCOUNTS, allowedOrigins: ['*'] });
    const cookie = await olga(one);
    for (const page of elsewhere) {
      const headers = { host: 'a:1', cookie, ...page };
      expect((await call(one, 'GET', '/v2/apps', undefined, headers)).statusCode).toBe(403);
      const body = { user: 'vera', password: 'v' };
      expect((await call(one, 'POST', '/v2/session', body, headers)).statusCode).toBe(403);
    }
  });
});

describe('signing in', () => {
  it('refuses wrong credentials without saying what is wrong with them', async () => {
    const hash = parseHash(formatHash(await hashPassword('h')));
    if (!hash) throw new Error('no hash');
    const hashed = { user: { name: 'hanna', role: 'viewer' }, secret: { kind: 'hash', hash } } as const;
    const one = server({ accounts: [...ACCOUNTS, hashed] });
    const answers = new Set<string>();
    for (const user of ['olga', 'hanna', 'nobody', 'robot', '__proto__']) {
      const answer = await call(one, 'POST', '/v2/session', { user, password: 'x' });
      const { 'x-request-id': _id, ...headers } = answer.headers;
      answers.add(JSON.stringify([answer.statusCode, { ...headers, date: '' }, answer.body]));
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toContain('User or password are wrong');
    expect([...answers][0]).not.toContain('set-cookie');
    const token = await call(one, 'POST', '/v2/session', { token: 'f'.repeat(16) });
    expect([token.statusCode, token.json()]).toEqual([401, { message: 'The token is wrong' }]);
    expect(await signIn(one, { user: 'hanna', password: 'h' })).toContain('mesosup-session=');
  });

  it('refuses bodies of another form, with the path of the field', async () => {
    const one = server({ accounts: ACCOUNTS });
    for (const body of [
      {},
      { user: 'olga' },
      { user: 'olga', password: 'o', more: 1 },
      { user: 'olga', password: 'o', token: TOKEN },
      { user: ['olga'], password: 'o' },
      { user: 'olga', password: 'x'.repeat(1001) },
      { token: '' },
      'no json',
      [],
      null,
    ]) {
      const answer = await call(one, 'POST', '/v2/session', body);
      expect([422, 400]).toContain(answer.statusCode);
      expect(answer.headers).not.toHaveProperty('set-cookie');
    }
  });

  it('is slowed down after wrong passwords, also by basic authentication, for that address and user', async () => {
    let now = 0;
    const one = server({ accounts: ACCOUNTS, now: () => now });
    const attempt = (user: string, password: string) => call(one, 'POST', '/v2/session', { user, password });
    const basic = async (user: string, password: string) =>
      (await call(one, 'GET', '/v2/apps', undefined, asUser(user, password))).statusCode;
    expect(await basic('vera', 'v')).toBe(200);
    for (let i = 0; i < 5; i += 1) {
      expect((await attempt('olga', `x${i}`)).statusCode).toBe(401);
      expect(await basic('olga', `y${i}`)).toBe(401);
    }
    const slow = await attempt('olga', 'o');
    expect([slow.statusCode, slow.headers['retry-after']]).toEqual([429, '6']);
    expect(slow.json()).toEqual({ message: 'Too many wrong passwords: try again in 6 s' });
    expect(await basic('olga', 'o')).toBe(429);
    // Others at the same address are not kept out.
    expect((await attempt('vera', 'v')).statusCode).toBe(200);
    now += 6000;
    expect((await attempt('olga', 'o')).statusCode).toBe(200);
    // A password that was right is not checked again.
    for (let i = 0; i < 12; i += 1) await attempt('olga', 'x');
    expect((await attempt('olga', 'x')).statusCode).toBe(429);
    expect(await basic('olga', 'o')).toBe(200);
  });
});
