/**
 * The sessions of people in browsers: in memory, and in the scheduler's store, so that they stay valid when another
 * scheduler takes over. Only the leading scheduler has them; all others forward requests to it.
 */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Account, Secret, User } from '../api/access-rules.ts';
import { formatHash } from '../api/scrypt-hash.ts';
import type { Store } from '../store/store.ts';
import {
  decodeSessions,
  encodeSessions,
  findSurplus,
  isOver,
  isWorthStoring,
  type Session,
  type SessionLimits,
} from './session.ts';

/** 256 random bits, in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** Limits how long a connection outlives its session. */
const SWEEP_MS = 5000;

export interface SessionsOptions {
  readonly accounts: readonly Account[];
  readonly limits: SessionLimits;
  readonly store: Pick<Store, 'loadSessions' | 'saveSessions'>;
  readonly now: () => number;
  /** Called for problems that don't keep the scheduler from working. */
  readonly warn: (message: string) => void;
}

export interface SignedIn {
  /** With the role that the user has now. */
  readonly user: User;
  readonly session: Session;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** `seenAt` as it is stored. */
  readonly #stored = new Map<string, number>();
  /** Ends the connections of a session. */
  readonly #connections = new Map<string, Set<() => void>>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  /** True if the last write failed: a session that has ended may still be stored. */
  #isUnsaved = false;
  readonly #sweeping: NodeJS.Timeout | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
    if (options.accounts.length > 0) this.#sweeping = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Reads the stored sessions. If they can't be read, everyone has to sign in again. */
  async load(): Promise<void> {
    const { accounts, store, warn } = this.#options;
    const stored = await store.loadSessions();
    if (stored === undefined || accounts.length === 0) return;
    try {
      for (const one of decodeSessions(stored)) {
        this.#sessions.set(one.id, one);
        this.#stored.set(one.id, one.seenAt);
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      warn(`everyone has to sign in again: what is stored about sessions ${why}`);
    }
    this.sweep();
  }

  get limits(): SessionLimits {
    return this.#options.limits;
  }

  /**
   * Begins a session, and resolves once it is stored.
   * @returns the session, and its token for the cookie
   * @throws StoreError
   */
  async begin({ user, secret }: Account): Promise<{ token: string; session: Session }> {
    const now = this.#options.now();
    for (const id of findSurplus(this.#sessions.values(), user.name)) this.#remove(id);
    const token = randomBytes(32).toString('base64url');
    const session: Session = {
      id: idOf(token),
      user: user.name,
      proof: proofOf(token, secret).toString('base64url'),
      createdAt: now,
      seenAt: now,
    };
    this.#sessions.set(session.id, session);
    try {
      await this.#save();
    } catch (error) {
      this.#remove(session.id);
      throw error;
    }
    return { token, session };
  }

  /** @returns the session with this token, and its user; undefined if it has ended or never began */
  find(token: string): SignedIn | undefined {
    if (!TOKEN.test(token)) return undefined;
    const session = this.#sessions.get(idOf(token));
    if (!session) return undefined;
    const now = this.#options.now();
    const user = isOver(session, this.limits, now) ? undefined : this.#userOf(token, session);
    if (user) return { user, session: this.#touch(session, now) };
    this.#remove(session.id);
    this.#saveLater();
    return undefined;
  }

  /**
   * Ends a session, and resolves once that is stored.
   * @throws StoreError: the session ends now, but may be valid again after a failover, unless a later write succeeds
   */
  async end(id: string): Promise<void> {
    this.#remove(id);
    await this.#save();
  }

  /**
   * Ends a connection with its session. While it is open, the session is not idle.
   * @returns a function to call when the connection has ended
   */
  hold(id: string, stop: () => void): () => void {
    // It ended after it was found.
    if (!this.#sessions.has(id)) {
      stop();
      return () => {};
    }
    const held = this.#connections.get(id) ?? new Set();
    this.#connections.set(id, held.add(stop));
    return () => {
      held.delete(stop);
      if (held.size === 0 && this.#connections.get(id) === held) this.#connections.delete(id);
    };
  }

  /** Ends sessions that are over, and those of users who are gone. */
  sweep(): void {
    const now = this.#options.now();
    const names = new Set(this.#options.accounts.map(({ user }) => user.name));
    let changed = false;
    for (const session of [...this.#sessions.values()]) {
      if (isOver(session, this.limits, now) || !names.has(session.user)) {
        this.#remove(session.id);
        changed = true;
      } else if (this.#connections.has(session.id)) this.#touch(session, now);
    }
    if (changed || this.#isUnsaved) this.#saveLater();
  }

  /** Stops without ending any session. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await (this.#next ?? this.#writing).catch(() => {});
  }

  #userOf(token: string, session: Session): User | undefined {
    const proof = Buffer.from(session.proof, 'base64url');
    return this.#options.accounts.find(
      ({ user, secret }) => user.name === session.user && isEqual(proofOf(token, secret), proof),
    )?.user;
  }

  #touch(session: Session, now: number): Session {
    const touched = { ...session, seenAt: Math.max(now, session.seenAt) };
    this.#sessions.set(session.id, touched);
    if (isWorthStoring(this.#stored.get(session.id) ?? session.createdAt, now, this.limits))
      this.#saveLater();
    return touched;
  }

  #remove(id: string): void {
    this.#sessions.delete(id);
    this.#stored.delete(id);
    const held = this.#connections.get(id);
    this.#connections.delete(id);
    for (const stop of held ?? []) stop();
  }

  #saveLater(): void {
    this.#save().catch((error: unknown) => {
      this.#options.warn(error instanceof Error ? error.message : String(error));
    });
  }

  /** Writes one after the other. What changes during a write is written by the next one, which serves all callers. */
  #save(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        const all = [...this.#sessions.values()];
        for (const { id, seenAt } of all) this.#stored.set(id, seenAt);
        this.#writing = this.#options.store.saveSessions(encodeSessions(all)).then(
          () => {
            this.#isUnsaved = false;
          },
          (error: unknown) => {
            this.#isUnsaved = true;
            throw error;
          },
        );
        return this.#writing;
      });
    return this.#next;
  }
}

function idOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

function proofOf(token: string, secret: Secret): Buffer {
  const text = secret.kind === 'hash' ? formatHash(secret.hash) : secret.text;
  return createHmac('sha256', token).update(`${secret.kind}:${text}`).digest();
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
