import { api, SHORT } from '../live/api.ts';
import { AppLink } from '../parts/app-link.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { When } from '../parts/time.tsx';
import type { EndedDeployment } from '../state/apps.ts';
import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';
import { deployments, ended } from '../store.ts';
import { Running } from './deployment-card.tsx';

/** Running deployments with their steps, and deployments that ended while the page was open. */
export function Deployments() {
  const running = deployments.value;
  return (
    <>
      <h1>
        Deployments <span class="faint">{running.length}</span>
      </h1>
      {running.length === 0 && (
        <div class="panel empty">
          Nothing is being deployed. Each change of an app is shown here as it moves.
        </div>
      )}
      {running.map((one) => (
        <Running key={one.id} deployment={one} />
      ))}
      <Ended />
    </>
  );
}

/** One deployment, at an address of its own. */
export function DeploymentView({ id }: { id: string }) {
  const single = useLoaded(() => api.call('GET', '/v2/deployments/{id}', { path: { id } }, SHORT), id, {
    concerns: ({ type }) => type.startsWith('deployment_'),
  });
  const over = ended.value.find((one) => one.id === id);
  return (
    <>
      <nav aria-label="Place" class="crumbs">
        <a href={pathOf({ view: 'deployments' })}>Deployments</a>
      </nav>
      <h1>Deployment</h1>
      {over ? (
        <div class="panel">
          <EndedTable all={[over]} />
        </div>
      ) : single.isMissing ? (
        <div class="panel empty">
          <p>There is no running deployment {plain(id)}: it has ended, or never existed.</p>
          <p>What it changed is among the versions of its apps.</p>
          <a href={pathOf({ view: 'deployments' })}>Show all deployments</a>
        </div>
      ) : (
        <Show of={single}>
          {(value) => <Running deployment={deployments.value.find((one) => one.id === id) ?? value} />}
        </Show>
      )}
    </>
  );
}

function Ended() {
  if (ended.value.length === 0) return null;
  return (
    <section class="panel" aria-label="Ended deployments">
      <h2>Ended since the page was opened</h2>
      <EndedTable all={ended.value} />
    </section>
  );
}

function EndedTable({ all }: { all: readonly EndedDeployment[] }) {
  return (
    <Scroll label="Table of ended deployments" isPanel={false}>
      <table>
        <thead>
          <tr>
            <th>Time</th>
            <th>Result</th>
            <th>Apps</th>
          </tr>
        </thead>
        <tbody>
          {all.map(({ id, at, reason, apps: names }) => (
            <tr key={id}>
              <td>
                <a href={pathOf({ view: 'deployment', id })} data-row>
                  <When at={at} />
                </a>
              </td>
              <td>
                <span class={`state state-${reason === undefined ? 'healthy' : 'failed'}`}>
                  {reason === undefined ? 'succeeded' : `failed: ${plain(reason)}`}
                </span>
              </td>
              <td>
                {names.slice(0, 5).map((app) => (
                  <div key={app}>
                    <AppLink id={app} />
                  </div>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
