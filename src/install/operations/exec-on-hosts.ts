/** Runs a program on many hosts at the same time, as root. */

import { HostError } from '../../hosts/host.ts';
import { quote } from '../../hosts/quote.ts';
import { askConcurrently } from './screen.ts';
import type { Session } from './session.ts';

/** Maximum characters kept of each output of a host. */
const MOST_KEPT = 1 << 20;

export interface HostOutput {
  readonly host: string;
  /** The exit code; null if a signal ended the program, or the host could not be used. */
  readonly code: number | null;
  readonly signal: string | null;
  /** At most the first MiB of each output, with whole lines. */
  readonly stdout: string;
  readonly stderr: string;
  /** True if more was written than was kept. */
  readonly truncated: boolean;
  readonly seconds: number;
  /** The reason why the host could not be used, and what to do. */
  readonly error?: { readonly failure: string; readonly message: string; readonly remedy: string };
}

export type OutputStream = 'stdout' | 'stderr';

/**
 * @param command the program and its arguments; no shell reads them
 * @param onLine receives each line as it is written
 * @returns by host, in the order of the names
 */
export async function execOnHosts(
  session: Session,
  names: readonly string[],
  command: readonly string[],
  signal: AbortSignal,
  onLine: (host: string, stream: OutputStream, line: string) => void,
): Promise<HostOutput[]> {
  // After exec, every word is an argument, also one that looks like an assignment.
  const script = `exec ${command.map(quote).join(' ')}\n`;
  const outputs = await askConcurrently(undefined, '', names, session.atOnce, async (host) => {
    const began = performance.now();
    const kept = { stdout: '', stderr: '' };
    const full = new Set<OutputStream>();
    const keep = (stream: OutputStream) => (line: string) => {
      onLine(host, stream, line);
      // Nothing behind the first line that is left out, so that the rest has no gap.
      if (kept[stream].length + line.length >= MOST_KEPT) full.add(stream);
      if (!full.has(stream)) kept[stream] += `${line}\n`;
    };
    const outcome = await session
      .host(host)
      .run(script, { onLine: keep('stdout'), onErrorLine: keep('stderr'), signal })
      .then(({ code, signal }) => ({ code, signal }))
      .catch((error: unknown) => {
        if (!(error instanceof HostError)) throw error;
        const { failure, message, remedy } = error;
        return { code: null, signal: null, error: { failure, message, remedy } };
      });
    const seconds = Math.round(performance.now() - began) / 1000;
    return { host, ...kept, truncated: full.size > 0, seconds, ...outcome };
  });
  return [...outputs.values()];
}
