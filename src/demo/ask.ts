import { MesosupError } from '../errors/mesosup-error.ts';

/** A request to one of the demo's programs. @throws MesosupError where there is no answer */
export async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    // fetch says only that it failed; the reason is its cause.
    const { cause = error } = error as Error;
    throw new MesosupError(`${url} does not answer: ${cause instanceof Error ? cause.message : cause}`, {
      cause: error,
    });
  }
}
