/**
 * Sessions of people in browsers, with schedulers as processes: three on a real ZooKeeper, and one with a journal. No master
 * is needed.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { docCommand } from '../support/docs.ts';
import { type Ensemble, startZooKeeper } from './support/zookeeper.ts';
import { type SchedulerProcess, startScheduler } from './support/zookeeper-schedulers.ts';

const WITHIN = { timeout: 40_000, interval: 50 };
const USERS = '[operator]\nolga:o\noskar:pass word\n[viewer]\nvera:v\n';
const APP = { cmd: 'sleep 600', env: { SECRET: 'hidden' } };

let directory: string;
let zookeeper: Ensemble;
const running: SchedulerProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sign-in-'));
  zookeeper = await startZooKeeper(1);
  await writeFile(join(directory, 'zk'), `zk://mesosup:pw@${zookeeper.hosts}/mesosup`, { mode: 0o600 });
  await writeFile(join(directory, 'users'), USERS, { mode: 0o600 });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.kill()));
});
afterAll(async () => {
  await zookeeper?.stop();
  await rm(directory, { recursive: true, force: true });
});

function start(...args: string[]): SchedulerProcess {
  const users = ['--http_users_file', join(directory, 'users')];
  const scheduler = startScheduler('--master', '127.0.0.1:1', ...users, ...args);
  running.push(scheduler);
  return scheduler;
}

const startWithZooKeeper = () => start('--zk', `file://${join(directory, 'zk')}`);
const startWithJournal = (...args: string[]) => start('--data_dir', join(directory, 'data'), ...args);

async function ask(scheduler: SchedulerProcess, path: string, init: RequestInit = {}) {
  const response = await fetch((await scheduler.url()) + path, { ...init, redirect: 'manual' });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

interface Browser {
  readonly cookie: string;
  /** Sends a request as a page of this scheduler does. @returns the status */
  send(scheduler: SchedulerProcess, method: string, path: string, body?: unknown): Promise<number>;
}

async function signIn(scheduler: SchedulerProcess, user: string, password: string): Promise<Browser> {
  const body = JSON.stringify({ user, password });
  const { status, headers } = await ask(scheduler, '/v2/session', { method: 'POST', body });
  expect(status).toBe(200);
  const cookie = headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return {
    cookie,
    send: async (to, method, path, sent) => {
      const own = { cookie, origin: await to.url() };
      const init = { method, headers: own, ...(sent !== undefined && { body: JSON.stringify(sent) }) };
      return (await ask(to, path, init)).status;
    },
  };
}

/** Waits until the schedulers agree on a leader. @returns the leader, and the others */
async function elected(schedulers: SchedulerProcess[]): Promise<[SchedulerProcess, ...SchedulerProcess[]]> {
  const authorization = `Basic ${btoa('olga:o')}`;
  return vi.waitFor(async () => {
    const leaders = await Promise.all(
      schedulers.map(async (one) => (await ask(one, '/v2/leader', { headers: { authorization } })).text),
    );
    expect(new Set(leaders).size).toBe(1);
    const urls = await Promise.all(schedulers.map((one) => one.url()));
    const at = urls.findIndex(
      (url) => leaders[0] === JSON.stringify({ leader: url.slice('http://'.length) }),
    );
    const leading = schedulers[at];
    if (!leading) throw new Error(`no leader yet: ${leaders[0]}`);
    return [leading, ...schedulers.filter((one) => one !== leading)];
  }, WITHIN);
}

it('are valid on every scheduler, outlive two leaders, and stay ended', { timeout: 180_000 }, async () => {
  const all = [startWithZooKeeper(), startWithZooKeeper(), startWithZooKeeper()];
  const [leading, follower, other] = await elected(all);
  if (!follower || !other) throw new Error('no followers');
  const olga = await signIn(follower, 'olga', 'o');
  const vera = await signIn(leading, 'vera', 'v');
  expect(await olga.send(other, 'PUT', '/v2/apps/x', APP)).toBe(201);
  expect(await vera.send(other, 'DELETE', '/v2/apps/x')).toBe(403);
  const shown = await ask(other, '/v2/apps/x', { headers: { cookie: vera.cookie } });
  expect([shown.status, shown.text.includes('hidden')]).toEqual([200, false]);

  // A follower's page is at the follower's address, and all others are refused there, too.
  for (const origin of [await leading.url(), 'http://evil.example', 'null']) {
    const headers = { cookie: olga.cookie, origin };
    expect((await ask(follower, '/v2/apps/x', { method: 'DELETE', headers })).status).toBe(403);
  }
  const { cookie } = olga;
  expect((await ask(follower, '/v2/apps/x', { method: 'DELETE', headers: { cookie } })).status).toBe(403);

  // A page's event stream is not redirected to another host, and ends with the session.
  const oskar = await signIn(other, 'oskar', 'pass word');
  const stream = await fetch(`${await follower.url()}/v2/events`, {
    headers: { cookie: oskar.cookie },
    redirect: 'manual',
  });
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const read = (async () => {
    let heard = '';
    const decoder = new TextDecoder();
    for await (const chunk of stream.body ?? []) heard += decoder.decode(chunk);
    return heard;
  })().catch((error: unknown) => String(error));
  expect(await oskar.send(leading, 'DELETE', '/v2/session')).toBe(204);
  expect(await Promise.race([read, sleep(20_000, 'still open')])).not.toBe('still open');

  await leading.kill();
  const [second, third] = await elected([follower, other]);
  if (!third) throw new Error('no follower');
  for (const one of [second, third]) {
    expect(await olga.send(one, 'GET', '/v2/apps')).toBe(200);
    expect(await oskar.send(one, 'GET', '/v2/apps')).toBe(401);
  }
  expect(await vera.send(third, 'DELETE', '/v2/session')).toBe(204);
  await second.kill();
  const [last] = await elected([third]);
  expect(await olga.send(last, 'PUT', '/v2/apps/y', APP)).toBe(201);
  expect(await vera.send(last, 'GET', '/v2/apps')).toBe(401);
});

it('slow down guessing through a follower, whatever the client says of its address', {
  timeout: 90_000,
}, async () => {
  const [leading, follower] = await elected([startWithZooKeeper(), startWithZooKeeper()]);
  if (!follower) throw new Error('no follower');
  const guess = async (to: SchedulerProcess, i: number) => {
    const body = JSON.stringify({ user: 'olga', password: `wrong ${i}` });
    const headers = { 'x-forwarded-for': `10.0.0.${i}`, 'x-request-id': `${i}` };
    return (await ask(to, '/v2/session', { method: 'POST', body, headers })).status;
  };
  for (let i = 0; i < 9; i += 1) expect(await guess(follower, i)).toBe(401);
  const more = [];
  for (let i = 10; i < 20; i += 1) more.push(await guess(follower, i));
  expect(more).toContain(429);
  // The leader counts the client's address, not the follower's.
  expect(await guess(leading, 20)).toBe(429);
});

it('work with the commands of the documentation', async () => {
  const scheduler = start('--data_dir', join(directory, 'documented'));
  const { port } = new URL(await scheduler.url());
  await elected([scheduler]);
  const run = async (documented: string) => {
    const command = documented
      .replace('http ', 'http --ignore-stdin --check-status --print=hb ')
      .replace('PASSWORD', 'o')
      .replaceAll(':8080', `:${port}`);
    const { exitCode, all } = await execa('sh', ['-c', command], {
      env: { HTTPIE_CONFIG_DIR: join(directory, 'httpie') },
      reject: false,
      all: true,
    });
    expect(exitCode, all).toBe(0);
    return all;
  };
  expect(await run(docCommand('docs/scheduler-api.md', 'http --session=me :8080/v2/session'))).toContain(
    '"user":"olga"',
  );
  const apps = docCommand('docs/scheduler-api.md', 'http --session=me :8080/v2/apps');
  expect(await run(apps)).toContain('"apps":[]');
  expect(await run(docCommand('docs/scheduler-api.md', 'http --session=me DELETE'))).toContain(
    '204 No Content',
  );
  await expect(run(apps)).rejects.toThrow('401');
});

it('end with the time and with a changed password, and outlive a restart', { timeout: 90_000 }, async () => {
  const first = startWithJournal();
  const [olga, vera] = [await signIn(first, 'olga', 'o'), await signIn(first, 'vera', 'v')];
  await first.kill();
  await writeFile(
    join(directory, 'users'),
    USERS.replace('vera:v', 'vera:new').replace('[viewer]', '[operator]'),
  );
  const next = startWithJournal();
  expect(await olga.send(next, 'GET', '/v2/apps')).toBe(200);
  expect(await vera.send(next, 'GET', '/v2/apps')).toBe(401);
  await next.kill();
  const stored = await readFile(join(directory, 'data/sessions'), 'utf8');
  const [, token = ''] = olga.cookie.split('=');
  expect([stored.includes('olga'), stored.includes(token)]).toEqual([true, false]);
  const brief = startWithJournal('--http_session_idle', '1');
  const again = await signIn(brief, 'olga', 'o');
  expect(await again.send(brief, 'GET', '/v2/apps')).toBe(200);
  await sleep(1200);
  expect(await again.send(brief, 'GET', '/v2/apps')).toBe(401);
  const said = [...first.said, ...next.said, ...brief.said].join('\n');
  expect(said).toContain('"user":"olga","status":200');
  for (const secret of [token, 'pass word', '"password"']) expect(said).not.toContain(secret);
});
