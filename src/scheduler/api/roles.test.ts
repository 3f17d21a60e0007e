import { describe, expect, it } from 'vitest';
import { account, asUser } from '../../../test/scheduler/accounts.ts';
import { logsOf, startAgentOfFiles } from '../../../test/scheduler/agents.ts';
import { call, closing, type Server, SLEEPER, server } from '../../../test/scheduler/api-server.ts';
import { roleForMethod } from './access-rules.ts';
import type { Answered } from './answered.ts';
import { OPERATIONS } from './openapi/operations.ts';
import { formatHash, hashPassword, matchesHash, parseHash } from './scrypt-hash.ts';

const ACCOUNTS = [account('olga', 'operator', 'o'), account('vera', 'viewer', 'v')];
const VERA = asUser('vera', 'v');
const OLGA = asUser('olga', 'o');
const MARKER = 'only-operators-may-see-this';

/** An app with the marker wherever a value of an environment variable can be. */
const APP = {
  ...SLEEPER,
  env: { PASSWORD: MARKER },
  container: {
    type: 'DOCKER',
    docker: {
      image: 'i',
      parameters: [
        { key: 'env', value: `A=${MARKER}` },
        { key: 'hostname', value: 'h' },
        { key: 'env=B', value: MARKER },
      ],
    },
  },
};
const V1_APP = {
  id: 'old',
  cmd: 'x',
  executor: '/var/lib/mesos/executors/docker',
  env: { PASSWORD: MARKER },
  container: {
    image: 'i',
    options: [
      '-e',
      `A=${MARKER}`,
      `--env=B=${MARKER}`,
      `-eC=${MARKER}`,
      '-ite',
      `D=${MARKER}`,
      `-iteE=${MARKER}`,
      '--rm',
    ],
  },
};

async function withApps(): Promise<{ one: Server; version: string; deployment: string; task: string }> {
  const agent = await startAgentOfFiles('framework');
  closing.push(() => agent.close());
  const one = server({ accounts: ACCOUNTS, logs: logsOf(agent.address) });
  const body = { ...APP, id: '/g/web' };
  expect((await call(one, 'POST', '/v2/apps', body, OLGA)).statusCode).toBe(201);
  const v1 = await call(one, 'POST', '/v1/apps/start', V1_APP, OLGA);
  expect([v1.statusCode, v1.body]).toEqual([204, '']);
  await one.run();
  const waiting = { ...APP, id: '/waiting', cpus: 99 };
  const made = await call(one, 'POST', '/v2/apps', waiting, OLGA);
  await one.run();
  const { version } = (await call(one, 'GET', '/v2/apps/g/web', undefined, OLGA)).json().app;
  const { id: task, executorId = '' } = await one.runner.read(({ apps }) => {
    const [first] = apps.get('/g/web')?.tasks.values() ?? [];
    return { ...first, id: first?.id ?? '' };
  });
  agent.sandbox(executorId, { [`tasks/${task}/stdout`]: 'x', [`tasks/${task}/stderr`]: '' });
  return { one, task, version, deployment: String(made.headers['marathon-deployment-id']) };
}

const EMBEDS = ['tasks', 'counts', 'deployments', 'readiness', 'lastTaskFailure', 'taskStats'];
const QUERY = [
  ...['app', 'apps', 'group.apps'].flatMap((prefix) => EMBEDS.map((one) => `embed=${prefix}.${one}`)),
  'embed=group.groups',
  'embed=group.apps',
  'embed=lastUnusedOffers',
].join('&');

describe('a viewer', () => {
  it('sees the names of environment variables, and no value in any answer to GET', async () => {
    const { one, task, version, deployment } = await withApps();
    const values: Record<string, string> = { id: 'g/web', group: 'g', version };
    expect((await call(one, 'POST', '/v2/agents/S0/drain', undefined, OLGA)).statusCode).toBe(200);
    let leaks = 0;
    for (const { method, path, answers, role } of OPERATIONS) {
      if (method !== 'GET' || path === '/v2/events' || role === 'operator') continue;
      const ids = path.startsWith('/v1/') ? { id: 'old' } : values;
      const own = path.startsWith('/v2/groups/') ? { id: 'g' } : ids;
      const ofTask = path.startsWith('/v2/tasks/') ? { id: task } : own;
      const ofAgent = path.startsWith('/v2/agents/') ? { id: 'S0' } : ofTask;
      const named = path.startsWith('/v2/deployments/') ? { id: deployment } : ofAgent;
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ({ ...values, ...named })[name] ?? '');
      for (const query of [QUERY, '']) {
        for (const accept of ['*/*', 'application/json', 'text/plain']) {
          const ask = (headers: object) =>
            call(one, 'GET', `${url}?${query}`, undefined, { ...headers, accept });
          const [operators, viewers] = [await ask(OLGA), await ask(VERA)];
          expect(Object.keys(answers).map(Number), url).toContain(viewers.statusCode);
          expect(viewers.body, url).not.toContain(MARKER);
          if (!operators.body.includes(MARKER)) continue;
          leaks += 1;
          // Everything else is the same.
          expect(viewers.body.replaceAll('********', MARKER), url).toBe(operators.body);
        }
      }
    }
    // Apps, versions, groups, the queue, and v1: the test has looked at the marker.
    expect(leaks).toBeGreaterThan(20);
    expect((await call(one, 'GET', '/v2/apps/g/web', undefined, VERA)).json().app).toMatchObject({
      env: { PASSWORD: '********' },
      container: { docker: { parameters: [{ value: 'A=********' }, { value: 'h' }, { key: 'env=B' }] } },
    });
  });

  it('gets the same description of the API as an operator', async () => {
    const one = server({ accounts: ACCOUNTS });
    const [operators, viewers] = [VERA, OLGA].map((who) =>
      call(one, 'GET', '/v2/openapi.json', undefined, who),
    );
    expect((await viewers)?.body).toBe((await operators)?.body);
  });

  it('can use no ETag of an operator to guess a value', async () => {
    const { one } = await withApps();
    for (const url of ['/v2/apps', '/v2/apps/g/web', '/v2/groups']) {
      const { etag } = (await call(one, 'GET', url, undefined, OLGA)).headers;
      const headers = { ...VERA, 'if-none-match': String(etag) };
      expect((await call(one, 'GET', url, undefined, headers)).statusCode).toBe(200);
    }
  });

  it('is refused whatever needs an operator, with the role that it needs', async () => {
    const one = server({ accounts: ACCOUNTS });
    for (const { method, path, role = roleForMethod(method), body } of OPERATIONS) {
      if (path === '/v2/events') continue;
      const url = path.replaceAll(/\{\w+\}/g, 'none');
      const sent = body === undefined ? undefined : {};
      const answer = await call(one, method, url, sent, VERA);
      if (role === 'operator') {
        expect([answer.statusCode, answer.json()]).toEqual([
          403,
          { message: `vera has the role viewer: ${method} ${url} needs the role operator` },
        ]);
      } else expect(answer.statusCode, `${method} ${url}`).not.toBe(403);
    }
  });
});

it('reports who sent each request, and what it needed', async () => {
  const seen: Answered[] = [];
  const one = server({ accounts: ACCOUNTS, onAnswered: (answer) => seen.push(answer) });
  await call(one, 'POST', '/v2/apps', SLEEPER, OLGA);
  await call(one, 'DELETE', '/v2/apps/sleeper', undefined, VERA);
  await call(one, 'GET', '/v2/apps', undefined, asUser('vera', 'wrong'));
  expect(seen).toMatchObject([
    { user: 'olga', needed: 'operator', method: 'POST', url: '/v2/apps', status: 201 },
    { user: 'vera', needed: 'operator', method: 'DELETE', status: 403 },
    { needed: 'viewer', status: 401 },
  ]);
  expect(seen[2]).not.toHaveProperty('user');
});

describe('hashes of passwords', () => {
  it('are accepted instead of the password', async () => {
    const hash = await hashPassword('s3cret: ü');
    const text = formatHash(hash);
    expect(text).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    expect(parseHash(text)).toEqual(hash);
    const accounts = [
      { user: { name: 'anna', role: 'viewer' as const }, secret: { kind: 'hash' as const, hash } },
    ];
    const one = server({ accounts });
    const status = async (headers: object) =>
      (await call(one, 'GET', '/v2/apps', undefined, { ...headers })).statusCode;
    for (const time of ['first', 'second']) {
      expect(await status(asUser('anna', 's3cret: ü')), time).toBe(200);
      expect(await status(asUser('anna', 's3cret')), time).toBe(401);
      expect(await status(asUser('otto', 's3cret: ü')), time).toBe(401);
      expect(await status(asUser('anna', text)), time).toBe(401);
    }
  });

  it('are read as passlib writes them', async () => {
    const text = '$scrypt$ln=10,r=8,p=1$TmFDbC1OYUNs$0RJdOnfVIUCzJ0UoV9iVS/+ajujNITbY2hW5o3l8Ro8';
    const hash = parseHash(text);
    if (!hash) throw new Error('not read');
    // Made by Python: hashlib.scrypt(b'password', salt=b'NaCl-NaCl', n=1024, r=8, p=1, dklen=32)
    expect(await matchesHash('password', hash)).toBe(true);
    expect(await matchesHash('passwords', hash)).toBe(false);
    for (const bad of [
      '$scrypt$ln=30,r=8,p=1$',
      '$scrypt$ln=9,r=8,p=1$',
      '$scrypt$ln=20,r=99,p=1$',
      '$2b$',
    ]) {
      expect(parseHash(`${bad}TmFDbC1OYUNs$${'A'.repeat(43)}`)).toBeUndefined();
    }
  });
});
