/** Reads what a view shows, and reads it again when events say that it has changed. */

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { errorText, isStatus } from '../live/api.ts';
import { onEvent, signedOut } from '../live/feed.ts';
import { connections } from '../live/stream.ts';
import type { LiveEvent } from '../state/events.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  /** The last attempt failed; `value` is the last one that succeeded. */
  readonly error: string | undefined;
  readonly isMissing: boolean;
  readonly reload: () => void;
}

const GATHER_MS = 30;
/** Between the ends of two requests. */
const LEAST_MS = 250;

/**
 * @param load reads the value
 * @param key the view's subject: another one begins anew
 * @param concerns selects the events after which the value may be another one
 * @param everyMs reads again after this time, for what no event tells
 */
export function useLoaded<T>(
  load: () => Promise<T>,
  key: string,
  { concerns, everyMs }: { concerns?: (event: LiveEvent) => boolean; everyMs?: number } = {},
): Loaded<T> {
  const [state, setState] = useState<{ key: string; value?: T; error?: unknown }>({ key });
  const again = useRef<() => void>(() => {});
  const generation = connections.value;
  useEffect(() => {
    let isOver = false;
    let isBusy = false;
    let isWanted = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async () => {
      isBusy = true;
      isWanted = false;
      clearTimeout(timer);
      try {
        const value = await load();
        if (!isOver) setState({ key, value });
      } catch (error) {
        if (!isOver && !signedOut(error))
          setState((old) => ({ ...(old.key === key ? old : {}), key, error }));
      }
      isBusy = false;
      if (isOver) return;
      if (isWanted) timer = setTimeout(run, LEAST_MS);
      else if (everyMs !== undefined) timer = setTimeout(run, everyMs);
    };
    again.current = () => {
      if (!isBusy && !isWanted) {
        clearTimeout(timer);
        timer = setTimeout(run, GATHER_MS);
      }
      isWanted = true;
    };
    const end = onEvent((event) => concerns?.(event) && again.current());
    void run();
    return () => {
      isOver = true;
      clearTimeout(timer);
      end();
    };
  }, [key, generation]);
  const isCurrent = state.key === key;
  return {
    value: isCurrent ? state.value : undefined,
    error: isCurrent && state.error !== undefined ? errorText(state.error) : undefined,
    isMissing: isCurrent && isStatus(state.error, 404),
    reload: () => again.current(),
  };
}

/** Shows the value, or that it is being read, or why it could not be read. */
export function Show<T>({
  of: { value, error, reload },
  children,
}: {
  of: Loaded<T>;
  children: (value: T) => ComponentChildren;
}) {
  if (value === undefined && error === undefined) return <p class="faint">Loading …</p>;
  return (
    <>
      {error !== undefined && (
        <div class="problem" role="alert">
          <p>{error}</p>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </div>
      )}
      {value !== undefined && children(value)}
    </>
  );
}
