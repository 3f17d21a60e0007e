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

/** @returns a signal that aborts when the client disconnects; at once if it has done so already */
export function closedSignal(raw: ServerResponse): AbortSignal {
  const closed = new AbortController();
  if (raw.destroyed) closed.abort();
  else raw.once('close', () => closed.abort());
  return closed.signal;
}
