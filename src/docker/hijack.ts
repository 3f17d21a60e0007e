import { request } from 'node:http';
import type { Socket } from 'node:net';
import { MesosupError } from '../errors/mesosup-error.ts';

/**
 * Sends a POST after which the connection carries the input and output of a process.
 * Source: "attach to a container" of Docker's API.
 *
 * @param path with the version prefix
 * @param body sent as JSON
 * @param doing for the error: `attach to container x`
 * @throws Error if Docker refuses
 */
export function hijack(socketPath: string, path: string, doing: string, body?: unknown): Promise<Socket> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise<Socket>((resolve, reject) => {
    const outgoing = request({
      socketPath,
      method: 'POST',
      path,
      headers: {
        Host: 'docker',
        Connection: 'Upgrade',
        Upgrade: 'tcp',
        ...(text !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text),
        }),
      },
    });
    outgoing.once('upgrade', (_answer, upgraded, head) => {
      if (head.length > 0) upgraded.unshift(head);
      resolve(upgraded as Socket);
    });
    outgoing.once('response', (answer) => {
      answer.setEncoding('utf8');
      let reason = '';
      answer.on('data', (part: string) => {
        reason += part;
      });
      answer.once('close', () =>
        reject(new MesosupError(`Docker refused to ${doing}: status ${answer.statusCode} ${reason.trim()}`)),
      );
    });
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}
