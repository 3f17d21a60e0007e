/** Asks haproxy's sockets. */

import { connect } from 'node:net';

const PATIENCE_MS = 5000;
/** haproxy reads a line of commands into a buffer of 16 KiB. */
const MAX_LINE = 12_000;

/** @returns the answer @throws Error if the socket does not answer */
export function askSocket(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setEncoding('utf8');
    socket.setTimeout(PATIENCE_MS, () =>
      socket.destroy(new Error(`${path}: no answer in ${PATIENCE_MS} ms`)),
    );
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.end(`${command}\n`);
  });
}

/** Sends commands in as few lines as possible. @returns the answers @throws Error */
export async function sendCommands(path: string, commands: readonly string[]): Promise<string> {
  let answers = '';
  let line = '';
  for (const command of commands) {
    if (line !== '' && line.length + command.length > MAX_LINE) {
      answers += await askSocket(path, line);
      line = '';
    }
    line += line === '' ? command : `;${command}`;
  }
  return line === '' ? answers : answers + (await askSocket(path, line));
}
