import { MesosupError } from '../errors/mesosup-error.ts';

/** Sends a request to one of the demo's programs. @throws MesosupError without an answer */
export async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    // fetch's own message is only "fetch failed"; the reason is in its cause.
    const { cause = error } = error as Error;
    throw new MesosupError(`${url} does not answer: ${cause instanceof Error ? cause.message : cause}`, {
      cause: error,
    });
  }
}
