/** The page: who uses it, the live connection, and the view of the address. */

import { effect, untracked } from '@preact/signals';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { errorText } from './live/api.ts';
import { startFeed } from './live/feed.ts';
import { followGroups } from './live/groups.ts';
import { startSampler } from './live/sampler.ts';
import { followSchedulers } from './live/schedulers.ts';
import { followLinks } from './router.ts';
import { readSession } from './session.ts';
import { isLoaded, session } from './store.ts';
import './style/page.css';
import { listenToKeys } from './views/keys.tsx';
import { Shell } from './views/shell.tsx';
import { SignIn } from './views/sign-in.tsx';
import { View } from './views/view.tsx';

const RETRY_MS = 2000;

function Page() {
  const { state } = session.value;
  if (state === 'unknown') return <Connecting />;
  if (state === 'none') return <SignIn />;
  return (
    <Shell>
      <View />
    </Shell>
  );
}

/** Until it is known who uses the page. */
function Connecting() {
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const ask = () =>
      readSession().catch((error: unknown) => {
        setProblem(errorText(error));
        timer = setTimeout(ask, RETRY_MS);
      });
    void ask();
    return () => clearTimeout(timer);
  }, []);
  if (problem === undefined) return null;
  return (
    <main class="sign-in" id="content">
      <h1>No connection</h1>
      <p role="alert">{problem}</p>
      <p class="faint">The page tries again every {RETRY_MS / 1000} seconds.</p>
    </main>
  );
}

followLinks();
listenToKeys();
effect(() => {
  if (session.value.state !== 'open') return undefined;
  return untracked(startFeed);
});
effect(() => {
  // What the first view shows comes first.
  if (!isLoaded.value) return undefined;
  const ends = untracked(() => [startSampler(), followGroups(), followSchedulers()]);
  return () => {
    for (const end of ends) end();
  };
});
const place = document.getElementById('page');
if (place) render(<Page />, place);
