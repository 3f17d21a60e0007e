import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BEGIN_WITHIN_MS,
  beginSession,
  CONNECT_WITHIN_MS,
  connectSession,
  createSession,
  dueOf,
  type ExecRequest,
  findExcess,
  nextDue,
  type Session,
} from './session.ts';

const request: ExecRequest = {
  user: 'ada',
  appId: '/a',
  agentId: 'S0',
  executorId: 'e',
  command: { task: 't', argv: ['sh'], tty: false, environment: {} },
};

function created(now = 0): Session {
  return createSession('id', request, now);
}

function inviting(now = 0): Session & { phase: 'inviting' } {
  const session = beginSession(created(now), 'ada', 'token', now);
  if (!('phase' in session) || session.phase !== 'inviting') throw new Error('it did not begin');
  return session;
}

describe('a session', () => {
  it('begins once, for its user, within 30 s', () => {
    expect(beginSession(created(), 'ada', 'token', BEGIN_WITHIN_MS - 1)).toMatchObject({ phase: 'inviting' });
    expect(beginSession(created(), 'ada', 'token', BEGIN_WITHIN_MS)).toMatchObject({ status: 404 });
    expect(beginSession(created(), 'bob', 'token', 0)).toMatchObject({ status: 403 });
    expect(beginSession(created(), undefined, 'token', 0)).toMatchObject({ status: 403 });
    expect(beginSession(inviting(), 'ada', 'token', 0)).toMatchObject({ status: 404 });
    expect(beginSession(connectSession(inviting()), 'ada', 'token', 0)).toMatchObject({ status: 404 });
    expect(beginSession(undefined, 'ada', 'token', 0)).toMatchObject({ status: 404 });
  });

  it('expires if it does not begin', () => {
    expect(dueOf(created(), BEGIN_WITHIN_MS - 1)).toBeUndefined();
    expect(dueOf(created(), BEGIN_WITHIN_MS)).toEqual({ type: 'expire' });
  });

  it('invites the executor at once and then every second, until it gives up', () => {
    let session: Session = inviting(5000);
    const times: number[] = [];
    let now = 5000;
    for (;;) {
      const due = dueOf(session, now);
      if (due?.type !== 'invite') break;
      session = due.session;
      times.push(now);
      now = nextDue(session);
    }
    expect(times).toEqual(Array.from({ length: 30 }, (_, i) => 5000 + i * 1000));
    expect(now).toBe(5000 + CONNECT_WITHIN_MS);
    expect(dueOf(session, now)).toMatchObject({ type: 'fail', reason: /within 30 s: it did not answer/ });
    const regret = { ...inviting(), regret: 'http://h: refused' };
    expect(dueOf(regret, CONNECT_WITHIN_MS)).toMatchObject({ reason: /within 30 s: http:\/\/h: refused/ });
  });

  it('needs nothing while it is connected', () => {
    const session = connectSession(inviting());
    expect([nextDue(session), dueOf(session, 1e15)]).toEqual([Infinity, undefined]);
  });

  it('always has something due at the time that it names', () => {
    const session = fc.oneof(
      fc.nat().map(created),
      fc.tuple(fc.nat(), fc.nat(40)).map(([now, invitations]) => ({ ...inviting(now), invitations })),
    );
    fc.assert(
      fc.property(session, (one) => {
        expect(dueOf(one, nextDue(one) - 1)).toBeUndefined();
        expect(dueOf(one, nextDue(one))).toBeDefined();
      }),
    );
  });
});

it('limits the sessions of a task and of the scheduler', () => {
  const of = (task: string): Session =>
    createSession('id', { ...request, command: { ...request.command, task } }, 0);
  const twenty = Array.from({ length: 20 }, () => of('t'));
  expect(findExcess(twenty.slice(1), 't')).toBeUndefined();
  expect(findExcess(twenty, 't')).toMatch(/'t' has 20 exec sessions/);
  expect(findExcess(twenty, 'u')).toBeUndefined();
  const many = Array.from({ length: 500 }, (_, i) => of(`t${i}`));
  expect(findExcess(many, 'u')).toMatch(/500 exec sessions/);
});
