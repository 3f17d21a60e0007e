/**
 * The life of an exec session: created by a request, begun by the client's WebSocket, connected by the executor. Pure:
 * times are arguments, in milliseconds since the epoch. Sessions are not stored, so a new leader knows none.
 */

import type { ExecCommand } from '../../exec/control.ts';

/** Time for the client to begin a session after its creation. */
export const BEGIN_WITHIN_MS = 30_000;
/** Time for the executor to connect. The invitation is repeated until then, since Mesos may lose messages. */
export const CONNECT_WITHIN_MS = 30_000;
const INVITE_EVERY_MS = 1000;
const MAX_PER_TASK = 20;
const MAX_SESSIONS = 500;

/** Where and what to run, and for whom. */
export interface ExecRequest {
  /** Undefined if the API needs no credentials. */
  readonly user: string | undefined;
  readonly appId: string;
  readonly agentId: string;
  readonly executorId: string;
  readonly command: ExecCommand;
}

interface Common {
  readonly id: string;
  readonly request: ExecRequest;
}

export type Session =
  | (Common & { readonly phase: 'created'; readonly expiresAt: number })
  | (Common & {
      readonly phase: 'inviting';
      readonly begunAt: number;
      readonly token: string;
      readonly invitations: number;
      /** The executor's last reason for not connecting. */
      readonly regret?: string;
    })
  | (Common & { readonly phase: 'connected'; readonly begunAt: number });

/** @returns why no session can be created; undefined if one can */
export function findExcess(sessions: Iterable<Session>, task: string): string | undefined {
  const all = [...sessions];
  if (all.length >= MAX_SESSIONS)
    return `There are ${all.length} exec sessions already: end one, and try again`;
  const ofTask = all.filter(({ request }) => request.command.task === task).length;
  if (ofTask < MAX_PER_TASK) return undefined;
  return `Task '${task}' has ${ofTask} exec sessions already: end one, and try again`;
}

export function createSession(id: string, request: ExecRequest, now: number): Session {
  return { phase: 'created', id, request, expiresAt: now + BEGIN_WITHIN_MS };
}

/** @returns why the client can't begin the session, with the HTTP status */
export function beginSession(
  session: Session | undefined,
  user: string | undefined,
  token: string,
  now: number,
): Session | { readonly status: 403 | 404; readonly message: string } {
  if (session?.phase !== 'created' || now >= session.expiresAt) {
    const message = 'There is no such exec session: it was used, or has expired. Create another one';
    return { status: 404, message };
  }
  if (session.request.user !== user)
    return { status: 403, message: 'This exec session belongs to another user' };
  const { id, request } = session;
  return { phase: 'inviting', id, request, begunAt: now, token, invitations: 0 };
}

export function connectSession(session: Session & { phase: 'inviting' }): Session {
  const { id, request, begunAt } = session;
  return { phase: 'connected', id, request, begunAt };
}

/** What a session needs now. */
export type Due =
  | { readonly type: 'expire' }
  | { readonly type: 'invite'; readonly session: Session }
  | { readonly type: 'fail'; readonly reason: string };

/** @returns undefined if nothing is due before `nextDue` */
export function dueOf(session: Session, now: number): Due | undefined {
  if (now < nextDue(session)) return undefined;
  if (session.phase === 'created') return { type: 'expire' };
  if (session.phase === 'connected') return undefined;
  if (now < session.begunAt + CONNECT_WITHIN_MS)
    return { type: 'invite', session: { ...session, invitations: session.invitations + 1 } };
  const seconds = CONNECT_WITHIN_MS / 1000;
  const why =
    session.regret ??
    'it did not answer. Mesos may have lost the messages, or the executor belongs to a release without exec';
  return {
    type: 'fail',
    reason: `The executor of the task did not connect to the scheduler within ${seconds} s: ${why}`,
  };
}

/** @returns when to look at the session again */
export function nextDue(session: Session): number {
  if (session.phase === 'created') return session.expiresAt;
  if (session.phase === 'connected') return Infinity;
  return Math.min(
    session.begunAt + session.invitations * INVITE_EVERY_MS,
    session.begunAt + CONNECT_WITHIN_MS,
  );
}
