import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { statusOf } from '../../../apps/app-rows.ts';
import { api, SHORT } from '../../live/api.ts';
import { HealthBar } from '../../parts/health-bar.tsx';
import { Show, useLoaded } from '../../parts/loaded.tsx';
import { navigate } from '../../router.ts';
import { plain } from '../../state/plain.ts';
import { APP_TABS, type AppTab, BASE, pathOf } from '../../state/route.ts';
import { countsOf } from '../../state/tree.ts';
import { isOperator } from '../../store.ts';
import { AppButtons } from './buttons.tsx';
import { Config } from './config.tsx';
import { LastFailure } from './failure.tsx';
import type { FullApp } from './full-app.ts';
import { Instances } from './instances.tsx';
import { Logs } from './logs.tsx';
import { Terminals } from './terminals.tsx';
import { Versions } from './versions.tsx';
import { Why } from './why.tsx';
import '../../style/app.css';

const TITLES: Readonly<Record<AppTab, string>> = {
  instances: 'Instances',
  config: 'Configuration',
  versions: 'Versions',
  why: 'Why it waits',
  logs: 'Logs',
  terminal: 'Terminal',
};
const EMBEDS = [
  'app.counts',
  'app.deployments',
  'app.tasks',
  'app.lastTaskFailure',
  'app.taskStats',
  'app.warnings',
];
/** Health check results change without an event. */
const EVERY_MS = 10_000;

/** An app with its tabs. */
export function App({ id, tab, task }: { id: string; tab: AppTab; task: string | undefined }) {
  const app = useLoaded(
    async () =>
      (await api.call('GET', '/v2/apps/{id}', { path: { id }, query: { embed: EMBEDS } }, SHORT)).app,
    id,
    { concerns: ({ apps }) => apps.includes(id), everyMs: EVERY_MS },
  );
  if (app.isMissing) return <Missing id={id} />;
  return (
    <>
      <nav aria-label="Place" class="crumbs">
        <a href={BASE}>Apps</a>
      </nav>
      <Show of={app}>
        {(value) => (
          <>
            <Head app={value} reload={app.reload} />
            <Tabs app={value} tab={tab} />
            <Content app={value} tab={tab} task={task} />
          </>
        )}
      </Show>
    </>
  );
}

function Missing({ id }: { id: string }) {
  return (
    <div class="panel empty">
      <h1>{plain(id)} does not exist</h1>
      <p>It was removed, or never created.</p>
      <p>
        <a href={BASE}>Show all apps</a>
      </p>
    </div>
  );
}

function Head({ app, reload }: { app: FullApp; reload: () => void }) {
  const status = statusOf(app);
  const counts = countsOf(app);
  const number =
    app.mode === 'daemon' ? `${counts.running} running` : `${counts.running} of ${counts.instances} running`;
  return (
    <div class="head">
      <div class="stack app-title">
        <h1>{plain(app.id)}</h1>
        <div class="app-state">
          <span class={`state state-${status}`}>{status}</span>
          <HealthBar counts={counts} />
          <span class="faint">{number}</span>
          {app.deployments?.map(({ id }) => (
            <a key={id} href={pathOf({ view: 'deployment', id })}>
              Show the deployment
            </a>
          ))}
        </div>
      </div>
      {isOperator.value && <AppButtons app={app} reload={reload} />}
    </div>
  );
}

function Tabs({ app: { id }, tab }: { app: FullApp; tab: AppTab }) {
  // Commands in containers need an operator.
  const shown = APP_TABS.filter((one) => one !== 'terminal' || isOperator.value);
  // A narrow screen does not show all tabs at once.
  useEffect(() => {
    document.getElementById(`tab-${tab}`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [tab]);
  const move = (by: number) => {
    const next = shown[shown.indexOf(tab) + by];
    if (next === undefined) return;
    navigate({ view: 'app', id, tab: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Parts of the app">
      {shown.map((one) => (
        <a
          key={one}
          id={`tab-${one}`}
          role="tab"
          href={pathOf({ view: 'app', id, tab: one })}
          aria-selected={one === tab}
          aria-controls="tab-content"
          tabIndex={one === tab ? 0 : -1}
          onKeyDown={({ key }) =>
            key.startsWith('Arrow') && move(key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0)
          }
        >
          {TITLES[one]}
        </a>
      ))}
    </div>
  );
}

function Content({
  app,
  tab,
  task,
}: {
  app: FullApp;
  tab: AppTab;
  task: string | undefined;
}): ComponentChildren {
  return (
    <div id="tab-content" class="tab-content" role="tabpanel" aria-labelledby={`tab-${tab}`}>
      {contentOf(app, tab, task)}
    </div>
  );
}

function contentOf(app: FullApp, tab: AppTab, task: string | undefined) {
  switch (tab) {
    case 'instances':
      return (
        <>
          <Instances app={app} />
          <LastFailure app={app} />
        </>
      );
    case 'config':
      return <Config app={app} />;
    case 'versions':
      return <Versions app={app} />;
    case 'why':
      return <Why app={app} />;
    case 'logs':
      return <Logs key={task ?? ''} app={app} task={task} />;
    case 'terminal':
      return <Terminals app={app} task={task} />;
  }
}
