import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/**
 * Writes a part of an answer, and waits until the client has taken enough of it to write more.
 * @param signal aborts when the client has disconnected
 */
export async function writeAll(
  raw: ServerResponse,
  bytes: Buffer | string,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted || raw.write(bytes)) return;
  await once(raw, 'drain', { signal }).catch(() => {});
}
