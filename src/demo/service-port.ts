/** Asks Redis at a service port, through the load balancer. */

import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { MesosupError } from '../errors/mesosup-error.ts';

const PATIENCE_MS = 60_000;
const ANSWER_MS = 1000;
const RETRY_MS = 50;

/** @returns the value of the key @throws MesosupError if there is no value within a minute */
export async function getFromServicePort(port: number, key: string, signal: AbortSignal): Promise<string> {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    const answer = await ask(port, `GET ${key}`).catch((error: Error) => error.message);
    const value = /^\$\d+\r\n(.*)\r\n$/.exec(answer)?.[1];
    if (value !== undefined) return value;
    if (Date.now() > end) {
      throw new MesosupError(
        `the service port ${port} does not answer: ${answer.trim()}. Run the demo with --detach and check lb.log in its directory.`,
      );
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
}

/** Sends a command as text, which Redis accepts too. */
function ask(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.split('\r\n').length > 2) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(`${command}\r\n`);
  });
}
