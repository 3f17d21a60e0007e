/** Asks a virtual host: `fetch` can't set the header Host. */

import { type IncomingHttpHeaders, request } from 'node:http';

export interface HostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** @param headers further headers of the request */
export function askHost(
  port: number,
  host: string,
  path = '/',
  headers: Readonly<Record<string, string>> = {},
): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers: { Host: host, ...headers } };
    // A new connection: others of the mode tcp stay with their task.
    request({ ...options, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    })
      .on('error', reject)
      .end();
  });
}
