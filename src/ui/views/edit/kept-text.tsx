/** Keeps what was typed when the session ends, and offers it to the same user after the next sign-in. */

import { useEffect, useRef } from 'preact/hooks';
import { type Draft, draftFor } from '../../state/draft.ts';
import { draft, session } from '../../store.ts';

function here(): string {
  return location.pathname + location.search;
}

/** @param begin what the editor began with @param isChanged false: there is nothing to keep */
export function useKeptText(text: string, begin: Pick<Draft, 'base' | 'version'>, isChanged: boolean): void {
  const last = useRef({ text, begin, isChanged });
  last.current = { text, begin, isChanged };
  useEffect(() => {
    const [who, place] = [session.peek(), here()];
    return () => {
      const now = session.peek();
      const { isChanged: isWorthIt, begin: from, text: typed } = last.current;
      if (!isWorthIt || who.state !== 'open' || now.state !== 'none' || now.signedOut) return;
      draft.value = { user: who.name, place, text: typed, ...from };
    };
  }, []);
}

export function KeptText({ onTake }: { onTake: (kept: Draft) => void }) {
  const who = session.value;
  const kept = who.state === 'open' ? draftFor(draft.value, who.name, here()) : undefined;
  if (!kept) return null;
  const forget = () => {
    draft.value = undefined;
  };
  return (
    <div class="warning head" role="alert">
      The session ended while you were editing. What you had typed is kept.
      <div class="buttons">
        <button
          type="button"
          class="primary"
          onClick={() => {
            forget();
            onTake(kept);
          }}
        >
          Restore it
        </button>
        <button type="button" onClick={forget}>
          Discard it
        </button>
      </div>
    </div>
  );
}
