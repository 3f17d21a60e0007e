/** HTTP/1.0 for hosts without curl and wget: writes requests as text, and parses the output of probe/asked.sh. */

import type { Asked } from '../host-facts.ts';
import type { Credentials } from '../operator.ts';

/**
 * Seconds to wait for an answer. A service on a busy host may be slow; a dead one refuses the connection immediately.
 */
export const ANSWER_SECONDS = 10;

/** Splits the output of `asked` into the answer and the result of the request. */
export function splitAnswer(printed: string): { readonly text: string; readonly asked: Asked } {
  const match = /\0asked (\d+) (-?\d+)$/.exec(printed);
  if (!match) return { text: printed, asked: {} };
  const text = printed.slice(0, match.index);
  const tookMs = Math.max(0, Number(match[2]));
  if (text !== '') return { text, asked: { tookMs } };
  // 124 is timeout's own code.
  return { text, asked: { tookMs, silence: match[1] === '124' ? 'timeout' : 'refused' } };
}

/** Returns a request as text. With HTTP/1.0 the answer is not chunked, and ends with the connection. */
export function httpRequest(
  method: 'GET' | 'POST',
  path: string,
  credentials: Credentials | undefined,
  body?: string,
): string {
  const lines = [`${method} ${path} HTTP/1.0`, 'Host: localhost', 'Accept: application/json'];
  if (credentials) {
    lines.push(`Authorization: Basic ${btoa(`${credentials.user}:${credentials.password}`)}`);
  }
  if (body !== undefined) {
    lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** The answer to a request. */
export interface HttpAnswer {
  /** 0: no answer, or not HTTP. */
  readonly status: number;
  readonly body: string;
  /** Headers by name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export function parseAnswer(text: string): HttpAnswer {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  const end = text.indexOf('\r\n\r\n');
  if (!status || end < 0) return { status: 0, body: '', headers: new Map() };
  const headers = text
    .slice(0, end)
    .split('\r\n')
    .slice(1)
    .map((line) => /^([^:]*):\s*(.*)$/.exec(line))
    .map((found) => [(found?.[1] ?? '').toLowerCase(), found?.[2] ?? ''] as const);
  return { status: Number(status), body: text.slice(end + 4), headers: new Map(headers) };
}
