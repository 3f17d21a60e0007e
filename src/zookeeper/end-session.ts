/** Ends a session whose process has died, so that others need not wait for its timeout. */

import type { ZooKeeperServer } from './address.ts';
import type { SessionKey } from './client.ts';
import { ConnectError, connect } from './connection.ts';
import { LONG_BYTES } from './wire/jute.ts';

/** The server answers with the session's real timeout. */
const TIMEOUT_MS = 10_000;

/**
 * Ends a session, with its ephemeral znodes, from another process than the one that opened it. That process must be
 * dead: alive, it would go on for up to a heartbeat as if it had the session.
 * @param withinMs time limit for each server
 * @returns false if the session had ended before; undefined if no server was reached
 */
export async function endSession(
  servers: readonly ZooKeeperServer[],
  { id, password }: SessionKey,
  withinMs: number,
): Promise<boolean | undefined> {
  const zxid = Buffer.alloc(LONG_BYTES);
  const resume = { id: Buffer.from(id, 'hex'), password: Buffer.from(password, 'hex'), zxid };
  for (const server of servers) {
    let answered = true;
    try {
      const connection = await connect({ server, resume, timeoutMs: TIMEOUT_MS, withinMs });
      const tooLate = setTimeout(() => {
        answered = false;
        connection.destroy('the session did not end in time');
      }, withinMs);
      await connection.endSession();
      clearTimeout(tooLate);
      if (answered) return true;
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (error.fatal) return false;
    }
  }
  return undefined;
}
