import { type IncomingMessage, request as sendRequest } from 'node:http';
import { MesosupError } from '../errors/mesosup-error.ts';

interface Sent {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** The answer of one of the demo's programs. Its body must be read or destroyed. */
export type Answer = IncomingMessage & { readonly statusCode: number };

/**
 * Sends a request to one of the demo's programs. The global `fetch` takes 30 ms to load, while the programs start.
 * @throws MesosupError without an answer
 */
export function request(url: string, { method, headers, body, signal }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, signal, agent: false };
    const sent = sendRequest(url, options, (answer) => resolve(answer as Answer));
    sent.once('error', (error) =>
      reject(new MesosupError(`${url} does not answer: ${error.message}`, { cause: error })),
    );
    sent.end(body);
  });
}

/** Reads the rest of an answer. */
export async function textOf(answer: Answer): Promise<string> {
  let text = '';
  for await (const part of answer.setEncoding('utf8')) text += part;
  return text;
}
