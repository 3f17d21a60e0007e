import { EXIT } from '../errors/mesosup-error.ts';

/** Runs the body until it ends, or until Ctrl-C, which is the usual way to end it: then nothing is printed. */
export async function untilInterrupted(body: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupt.abort(new Error(`interrupted by ${signal}`)));
  }
  try {
    await body(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.exitCode = EXIT.interrupted;
  }
}
