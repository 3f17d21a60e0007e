/** Reads a secret: from a prompt on a terminal, or else the first line of standard input. Never from an argument. */

import { buffer } from 'node:stream/consumers';
import { UsageError } from '../errors/mesosup-error.ts';

/** @param noun for example `password` @throws UsageError if it is empty */
export async function readSecret(noun: string): Promise<string> {
  const asks = process.stdin.isTTY && process.stderr.isTTY;
  const text = asks ? await ask(noun) : (await buffer(process.stdin)).toString('utf8');
  const [secret = ''] = text.split(/\r?\n/);
  if (secret === '') throw new UsageError(`the ${noun} is empty: type it, or write it to standard input`);
  return secret;
}

async function ask(noun: string): Promise<string> {
  const { default: inquirer } = await import('inquirer');
  const message = `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
  const { answer } = await inquirer.prompt([{ type: 'password', name: 'answer', message, mask: true }]);
  return answer;
}
