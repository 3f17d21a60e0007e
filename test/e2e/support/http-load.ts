/** Sends HTTP requests to service ports of a load balancer. */

import { setTimeout as sleep } from 'node:timers/promises';

export interface HttpLoad {
  readonly answered: number;
  /** Texts of failed requests. */
  readonly failures: readonly string[];
}

const CLIENTS = 4;
const PATIENCE_MS = 10_000;

/** Sends requests while the body runs, each with a connection of its own. */
export async function underHttpLoad(
  ports: readonly number[],
  body: () => Promise<unknown>,
  host = '127.0.0.1',
): Promise<HttpLoad> {
  const failures: string[] = [];
  let answered = 0;
  let over = false;
  const client = async (number: number) => {
    for (let turn = number; !over; turn += 1) {
      const port = ports[turn % ports.length];
      const failure = await request(`http://${host}:${port}/`);
      if (failure === undefined) answered += 1;
      else failures.push(`${new Date().toISOString()} ${port}: ${failure}`);
      await sleep(20);
    }
  };
  const running = Array.from({ length: CLIENTS }, (_, i) => client(i));
  try {
    await body();
  } finally {
    over = true;
    await Promise.all(running);
  }
  return { answered, failures };
}

async function request(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await answer.text();
    return answer.ok && text.includes('here') ? undefined : `${answer.status} ${text.slice(0, 60)}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message}: ${cause.message}` : message;
  }
}
