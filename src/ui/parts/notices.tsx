/** Short messages about what the user did, read out by screen readers. */

import { errorText } from '../live/api.ts';
import { signedOut } from '../live/feed.ts';
import { ofSession, session } from '../store.ts';

interface Notice {
  readonly key: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

const SHOWN_MS = 8000;
const notices = ofSession<readonly Notice[]>([]);
let count = 0;

function show(kind: Notice['kind'], text: string): void {
  count += 1;
  const key = count;
  notices.value = [...notices.value, { key, kind, text }].slice(-4);
  // An error stays until it is closed.
  if (kind === 'done') setTimeout(() => close(key), SHOWN_MS);
}

function close(key: number): void {
  notices.value = notices.value.filter((one) => one.key !== key);
}

/** Makes a change, and says how it went, unless its session ends meanwhile. @returns true if it was accepted */
export async function attempt(done: string, change: () => Promise<unknown>): Promise<boolean> {
  const own = session.peek();
  try {
    await change();
    if (session.peek() === own) show('done', done);
    return true;
  } catch (error) {
    // What comes later is not for the next user, whose session is another one.
    if (session.peek() !== own || signedOut(error)) return false;
    show('failed', errorText(error));
    return false;
  }
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ key, kind, text }) => (
        <div key={key} class={`notice notice-${kind}`}>
          <span>{text}</span>
          <button type="button" class="quiet" aria-label="Close this message" onClick={() => close(key)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
