/** Follows the output of a task. */

import { LineSplitter, type Stream } from '../../apps/log-lines.ts';
import { isJson, parseJson } from '../../json.ts';
import { api } from './api.ts';
import { signedOut } from './feed.ts';

interface Following {
  readonly stream: Stream | 'both';
  /** Last lines to begin with. */
  readonly tail: number;
  readonly signal: AbortSignal;
  readonly onLines: (lines: readonly { readonly stream: Stream; readonly text: string }[]) => void;
  /** Remarks, such as output that was lost. */
  readonly onNote: (text: string) => void;
}

/** Lines are shown together, so that a chatty task does not stop the page. */
const SHOW_MS = 100;
/** The page shows less of a line. */
const MAX_LINE = 1 << 20;
/** A new leader answers within a minute. */
const PATIENCE_MS = 60_000;

/** Resolves when the output has ended. @throws ApiError */
export async function followLog(
  task: string,
  { stream, tail, signal, onLines, onNote }: Following,
): Promise<void> {
  const splitter = new LineSplitter(MAX_LINE);
  let unshown: { stream: Stream; text: string }[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = () => {
    timer = undefined;
    onLines(unshown);
    unshown = [];
  };
  const add = (lines: readonly { stream: Stream; text: string }[]) => {
    unshown.push(...lines);
    timer ??= setTimeout(show, SHOW_MS);
  };
  const input = { path: { id: task }, query: { stream, tail, follow: true } };
  const limits = { signal, patienceMs: PATIENCE_MS, endsWith: ['end', 'error'] };
  try {
    for await (const { type, data } of api.events('/v2/tasks/{id}/log', input, limits)) {
      const piece = parseJson(data);
      if (!isJson(piece)) continue;
      if (type === 'error') onNote(String(piece.message));
      if (type === 'end') onNote('The task has ended; this is all of its output.');
      if (type !== 'stdout' && type !== 'stderr') continue;
      if (piece.lost !== undefined) onNote('Some output was removed before it could be read.');
      add(splitter.push(type, String(piece.text)).map((text) => ({ stream: type, text })));
    }
    add(splitter.end());
  } catch (error) {
    if (!signedOut(error)) throw error;
  } finally {
    clearTimeout(timer);
    if (!signal.aborted) show();
  }
}
