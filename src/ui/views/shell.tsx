import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import icon from '../icon.svg';
import { schedulers } from '../live/schedulers.ts';
import { connection } from '../live/stream.ts';
import { Questions } from '../parts/dialog.tsx';
import { attempt, Notices } from '../parts/notices.tsx';
import { Age } from '../parts/time.tsx';
import { query, route } from '../router.ts';
import { signOut } from '../session.ts';
import { plain } from '../state/plain.ts';
import { BASE, pathOf, type Route } from '../state/route.ts';
import { othersThan } from '../state/schedulers.ts';
import { apps, deployments, now, session } from '../store.ts';
import { KeyList } from './keys.tsx';

const VIEWS = [
  { view: 'apps', title: 'Apps' },
  { view: 'deployments', title: 'Deployments' },
  { view: 'queue', title: 'Queue' },
  { view: 'agents', title: 'Agents' },
  { view: 'events', title: 'Events' },
  { view: 'scheduler', title: 'Scheduler' },
] as const;

const PARENTS: Readonly<Partial<Record<Route['view'], Route['view']>>> = {
  app: 'apps',
  create: 'apps',
  edit: 'apps',
  agent: 'agents',
  deployment: 'deployments',
};

/** What surrounds every view: navigation, the user, and what is wrong with the connection. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { view } = route.value;
  const current = PARENTS[view] ?? view;
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={BASE}>
          <img src={icon} alt="" width="22" height="22" />
          mesosup
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ view: one, title }) => (
            <a key={one} href={pathOf({ view: one })} aria-current={one === current ? 'page' : undefined}>
              {title}
              {one === 'deployments' && deployments.value.length > 0 && (
                <span class="badge">{deployments.value.length}</span>
              )}
            </a>
          ))}
        </nav>
        <User />
      </header>
      <Stale />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <Notices />
      <Questions />
      <KeyList />
      <Title />
    </>
  );
}

function User() {
  const who = session.value;
  if (who.state !== 'open' || !who.canSignOut) return <span />;
  return (
    <div class="user">
      <span title={`Role ${who.role}`}>
        {plain(who.name)}
        {who.role === 'viewer' && <span class="faint"> (viewer)</span>}
      </span>
      <button type="button" onClick={() => attempt('Signed out.', signOut)}>
        Sign out
      </button>
    </div>
  );
}

/** An interruption shorter than this is not shown. */
const UNNOTICED_MS = 1500;
/** After this time, the scheduler that served the page may be gone for good. */
const GONE_MS = 5000;

/** Says that what the page shows may be outdated. */
function Stale() {
  const { state, since } = connection.value;
  const lostMs = state === 'live' ? 0 : now.value - since;
  const isShown = lostMs > UNNOTICED_MS;
  return (
    <div role="status" aria-live="polite">
      {isShown && (
        <p class="stale">
          <strong>{apps.value.size > 0 ? 'Not up to date.' : 'Not connected.'}</strong> No connection to the
          scheduler for <Age at={new Date(since).toISOString()} />. The page connects again by itself; changes
          made meanwhile may fail.
          {lostMs > GONE_MS && <Others />}
        </p>
      )}
    </div>
  );
}

/** Leads to the same view at other schedulers. */
function Others() {
  const others = othersThan(location, schedulers.value);
  if (others.length === 0) return <> If {location.host} does not come back, start its scheduler again.</>;
  const at = `${pathOf(route.value).split('?')[0]}${query.value.size === 0 ? '' : `?${query.value}`}`;
  return (
    <>
      {' '}
      If {location.host} does not come back, go on at another scheduler:{' '}
      {others.map(({ address, url }, i) => (
        <span key={url}>
          {i > 0 && ', '}
          <a href={url + at}>{plain(address)}</a>
        </span>
      ))}
      .
    </>
  );
}

function Title() {
  const one = route.value;
  const name =
    'id' in one ? plain(one.id) : (VIEWS.find(({ view }) => view === one.view)?.title ?? 'Create an app');
  useEffect(() => {
    document.title = `${name} · mesosup`;
    // A narrow screen does not show all views at once.
    document.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [name]);
  return null;
}
