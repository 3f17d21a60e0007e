/** Reads a secret: from a prompt on a terminal, or else the first line of standard input. Never from an argument. */

import type { Readable } from 'node:stream';
import { UsageError } from '../errors/mesosup-error.ts';

/** @param noun for example `password` @throws UsageError if it is empty */
export async function readSecret(noun: string): Promise<string> {
  const secret = hasTerminal() ? await ask(noun) : await firstLine(process.stdin);
  if (secret === '') throw new UsageError(`the ${noun} is empty: type it, or write it to standard input`);
  return secret;
}

/** Asks twice, since nothing else would show a typing mistake. @throws UsageError if it is empty, or the answers differ */
export async function readNewSecret(noun: string): Promise<string> {
  const secret = await readSecret(noun);
  if (hasTerminal() && (await ask(`${noun} again`)) !== secret)
    throw new UsageError(`the two answers for the ${noun} differ: run the command again`);
  return secret;
}

function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Does not wait for the end of the input: the program that writes it may go on. */
export async function firstLine(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    if (chunks.at(-1)?.includes('\n')) break;
  }
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
  return line;
}

async function ask(noun: string): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const message = `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
  const { answer } = await inquirer.prompt([{ type: 'password', name: 'answer', message, mask: true }]);
  return answer;
}
