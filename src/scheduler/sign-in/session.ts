/**
 * Sessions of people who have signed in with a browser. Pure: times are arguments, in milliseconds since the epoch.
 *
 * They are stored beside the events of the state, not among them: an earlier release, which refuses unknown events,
 * ignores them. The token of a session is only in the browser's cookie.
 */

import * as z from 'zod';
import { parseJson } from '../../json.ts';
import { RELEASE } from '../../release.ts';
import { readStored } from '../../stored/file.ts';
import { readerOf } from '../../stored/reader.ts';
import { record } from '../../stored/record.ts';

export interface Session {
  /** SHA-256 of the token, in base64url. */
  readonly id: string;
  readonly user: string;
  /**
   * HMAC of the password or token with which the user signed in, keyed by the token of the session. It ends the session
   * if they change, and can't be checked by someone who has only the store.
   */
  readonly proof: string;
  readonly createdAt: number;
  /** Time of the last request. May be stored later: see `isWorthStoring`. */
  readonly seenAt: number;
}

export interface SessionLimits {
  /** A session ends so long after its last request. */
  readonly idleMs: number;
  /** A session ends so long after it began. */
  readonly maxAgeMs: number;
}

export const MAX_PER_USER = 20;
/** In ZooKeeper, all sessions are in one znode of at most 1 MB: this number takes a quarter of it. */
export const MAX_SESSIONS = 1000;
const FORMAT = 1;
/** A failover may forget this part of the idle time, so that not each request writes to the store. */
const FORGOTTEN_PART = 1 / 8;

/** @returns when the session ends at the latest */
export function endOf({ createdAt }: Session, { maxAgeMs }: SessionLimits): number {
  return createdAt + maxAgeMs;
}

export function isOver(session: Session, limits: SessionLimits, now: number): boolean {
  return now >= Math.min(session.seenAt + limits.idleMs, endOf(session, limits));
}

/** @param storedSeenAt `seenAt` as it is stored */
export function isWorthStoring(storedSeenAt: number, now: number, { idleMs }: SessionLimits): boolean {
  return now - storedSeenAt > idleMs * FORGOTTEN_PART;
}

/** @returns the ids of the sessions that must end before another one of this user begins: those used longest ago */
export function findSurplus(sessions: Iterable<Session>, user: string): string[] {
  const all = [...sessions].sort((a, b) => a.seenAt - b.seenAt);
  const own = all.filter((one) => one.user === user);
  if (own.length >= MAX_PER_USER) return own.slice(0, own.length - MAX_PER_USER + 1).map(({ id }) => id);
  return all.slice(0, Math.max(0, all.length - MAX_SESSIONS + 1)).map(({ id }) => id);
}

const text = z.string();
const number = z.number();

const read = readerOf(
  z.object({
    sessions: z.array(
      record<Session>({ id: text, user: text, proof: text, createdAt: number, seenAt: number }),
    ),
  }),
);

export function encodeSessions(sessions: Iterable<Session>): string {
  return `${JSON.stringify({ format: FORMAT, release: RELEASE, sessions: [...sessions] })}\n`;
}

/** @throws Error if the text can't be read: its message continues a sentence that begins with where the text is */
export function decodeSessions(stored: string): readonly Session[] {
  const refuse = (why: string) => new Error(why);
  const found = readStored(parseJson(stored), { format: FORMAT, read }, refuse);
  if (!found) throw refuse('is damaged: it has no format');
  return found.sessions;
}
