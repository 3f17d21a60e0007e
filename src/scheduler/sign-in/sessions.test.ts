import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { account } from '../../../test/scheduler/accounts.ts';
import { createMemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { decodeSessions, encodeSessions, MAX_PER_USER, MAX_SESSIONS } from './session.ts';
import { Sessions } from './sessions.ts';

const OLGA = account('olga', 'operator', 'o');
const VERA = account('vera', 'viewer', 'v');
const LIMITS = { idleMs: 80_000, maxAgeMs: 1_000_000 };

let now = 1_000_000_000_000;
const warnings: string[] = [];
const open: Sessions[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function sessionsIn(store: Store, accounts = [OLGA, VERA]): Promise<Sessions> {
  warnings.length = 0;
  const warn = (message: string) => warnings.push(message);
  const sessions = new Sessions({ accounts, limits: LIMITS, store, now: () => now, warn });
  open.push(sessions);
  await sessions.load();
  return sessions;
}

async function stored(store: Store) {
  return decodeSessions((await store.loadSessions()) ?? '');
}

it('are valid on the next scheduler, and what is stored reveals neither token nor password', async () => {
  const store = createMemoryStore();
  const { token, session } = await (await sessionsIn(store)).begin(OLGA);
  const text = String(await store.loadSessions());
  expect(text).not.toContain(token);
  expect(JSON.parse(text).sessions).toEqual([session]);
  const next = await sessionsIn(store);
  expect(next.find(token)).toEqual({ user: OLGA.user, session });
  // Knowing the store does not help to guess the password: the same password has another proof each time.
  const other = await next.begin(OLGA);
  expect(other.session.proof).not.toBe(session.proof);
});

it('end with a changed password, another kind of secret, and a removed user; the role is the current one', async () => {
  const store = createMemoryStore();
  const first = await sessionsIn(store);
  const { token } = await first.begin(OLGA);
  const demoted = account('olga', 'viewer', 'o');
  expect((await sessionsIn(store, [demoted, VERA])).find(token)?.user.role).toBe('viewer');
  for (const other of [account('olga', 'operator', 'new'), account('olga', 'operator', 'o', 'token')]) {
    const copy = createMemoryStore();
    await copy.saveSessions((await store.loadSessions()) ?? '');
    const changed = await sessionsIn(copy, [other]);
    expect(changed.find(token)).toBeUndefined();
    await changed.close();
    expect(await stored(copy)).toEqual([]);
  }
  const without = await sessionsIn(store, [VERA]);
  expect(without.find(token)).toBeUndefined();
  await without.close();
  expect(await stored(store)).toEqual([]);
});

it('that were ended stay ended', async () => {
  const store = createMemoryStore();
  const sessions = await sessionsIn(store);
  const { token, session } = await sessions.begin(OLGA);
  await sessions.end(session.id);
  await sessions.end(session.id);
  expect(sessions.find(token)).toBeUndefined();
  expect((await sessionsIn(store)).find(token)).toBeUndefined();
});

it('write their use to the store from time to time, so that a failover forgets little of it', async () => {
  let writes = 0;
  const store = createMemoryStore();
  const counting = {
    ...store,
    saveSessions: (text: string) => {
      writes += 1;
      return store.saveSessions(text);
    },
  };
  const sessions = await sessionsIn(counting);
  const { token } = await sessions.begin(OLGA);
  for (let i = 0; i < 900; i += 1) {
    now += 1000;
    expect(sessions.find(token)).toBeDefined();
    await nextTurn();
  }
  await sessions.close();
  expect(writes).toBeGreaterThan(70);
  expect(writes).toBeLessThan(100);
  expect(now - ((await stored(store))[0]?.seenAt ?? 0)).toBeLessThanOrEqual(11_000);
});

it('end their connections, and are not idle while one is open', async () => {
  const sessions = await sessionsIn(createMemoryStore());
  const [held, idle] = [await sessions.begin(OLGA), await sessions.begin(OLGA)];
  const ended: string[] = [];
  const release = sessions.hold(held.session.id, () => ended.push('first'));
  sessions.hold(held.session.id, () => ended.push('second'));
  sessions.hold(idle.session.id, () => ended.push('idle'))();
  for (let i = 0; i < 12; i += 1) {
    now += 79_000;
    sessions.sweep();
  }
  expect([sessions.find(held.token) !== undefined, sessions.find(idle.token)]).toEqual([true, undefined]);
  release();
  now += 79_000;
  sessions.sweep();
  expect(ended).toEqual(['second']);
  expect(sessions.find(held.token)).toBeUndefined();
});

it('are limited in number, for each user and in all: those used longest ago end first', async () => {
  const store = createMemoryStore();
  const users = Array.from({ length: MAX_SESSIONS / MAX_PER_USER + 1 }, (_, i) =>
    account(`u${i}`, 'viewer', 'p'),
  );
  const sessions = await sessionsIn(store, users);
  const tokens: string[] = [];
  for (const user of users) {
    for (let i = 0; i < MAX_PER_USER; i += 1) {
      now += 1;
      tokens.push((await sessions.begin(user)).token);
    }
  }
  expect(await stored(store)).toHaveLength(MAX_SESSIONS);
  expect(String(await store.loadSessions()).length).toBeLessThan(1 << 19);
  expect(tokens.findIndex((token) => sessions.find(token))).toBe(MAX_PER_USER);
  const last = users.at(-1);
  if (last) await sessions.begin(last);
  expect(await stored(store)).toHaveLength(MAX_SESSIONS);
  expect(tokens.slice(-MAX_PER_USER).filter((token) => sessions.find(token))).toHaveLength(MAX_PER_USER - 1);
});

it('that can not be stored do not begin', async () => {
  const store = createMemoryStore();
  let works = true;
  const failing = {
    ...store,
    saveSessions: async (text: string) => {
      if (!works) throw new Error('the disk is full');
      await store.saveSessions(text);
    },
  };
  const sessions = await sessionsIn(failing);
  const { token, session } = await sessions.begin(OLGA);
  works = false;
  await expect(sessions.begin(OLGA)).rejects.toThrow('the disk is full');
  await expect(sessions.end(session.id)).rejects.toThrow('the disk is full');
  expect(sessions.find(token)).toBeUndefined();
  works = true;
  await sessions.begin(VERA);
  expect((await stored(store)).map(({ user }) => user)).toEqual(['vera']);
});

it('that ended while nothing could be stored are removed from the store as soon as that works again', async () => {
  const store = createMemoryStore();
  let works = true;
  const failing = {
    ...store,
    saveSessions: (text: string) =>
      works ? store.saveSessions(text) : Promise.reject(new Error('the disk is full')),
  };
  const sessions = await sessionsIn(failing);
  const { session } = await sessions.begin(OLGA);
  works = false;
  await expect(sessions.end(session.id)).rejects.toThrow('the disk is full');
  works = true;
  sessions.sweep();
  await sessions.close();
  expect(await stored(store)).toEqual([]);
});

it('that have just ended end a connection at once', async () => {
  const sessions = await sessionsIn(createMemoryStore());
  const { session } = await sessions.begin(OLGA);
  await sessions.end(session.id);
  let ended = false;
  sessions.hold(session.id, () => {
    ended = true;
  });
  expect(ended).toBe(true);
});

it('of a later release, or damaged ones, make everyone sign in again', async () => {
  for (const [text, why] of [
    ['{"format":2,"release":"9.8.7"}', /has format 2/],
    ['{"format":1,"release":"9.8.7","sessions":[{"id":"x"}]}', /sessions/],
    ['{', /is damaged/],
    ['', /is damaged/],
  ] as const) {
    const store = createMemoryStore();
    await store.saveSessions(text);
    const sessions = await sessionsIn(store);
    expect(warnings[0]).toMatch(/^everyone has to sign in again: what is stored about sessions /);
    expect(warnings[0]).toMatch(why);
    const { token } = await sessions.begin(OLGA);
    expect((await sessionsIn(store)).find(token)).toBeDefined();
  }
  expect(decodeSessions(encodeSessions([]))).toEqual([]);
});
