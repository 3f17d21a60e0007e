import type { Needed } from './access-rules.ts';

/** An answered request. */
export interface Answered {
  /** The `X-Request-Id` of the answer. */
  readonly id: string;
  /** Of the client. */
  readonly address: string;
  /** Absent without authentication, or if it failed. */
  readonly user?: string;
  /** The role that the operation needs. */
  readonly needed: Needed;
  readonly method: string;
  readonly url: string;
  /** The pattern that the URL matched. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}
