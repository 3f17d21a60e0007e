import type { DeploymentJson } from '../../scheduler/api/v2/deployment-schemas.ts';
import { api, SHORT } from '../live/api.ts';
import { AppLink } from '../parts/app-link.tsx';
import { ask } from '../parts/dialog.tsx';
import { HealthBar } from '../parts/health-bar.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { attempt } from '../parts/notices.tsx';
import { Age } from '../parts/time.tsx';
import { plain } from '../state/plain.ts';
import { progressOf, progressParts, progressText } from '../state/progress.ts';
import { pathOf } from '../state/route.ts';
import { countsOf } from '../state/tree.ts';
import { apps, isOperator } from '../store.ts';
import '../style/deployments.css';

const WORDS = {
  StartApplication: 'Start',
  ScaleApplication: 'Scale',
  RestartApplication: 'Replace the tasks of',
  StopApplication: 'Stop',
};
const EVERY_MS = 2000;

/** Apps of a step whose new and old instances are shown; each costs a request. */
const MAX_COUNTED = 20;
const BARS = { running: 'bar-healthy', starting: 'bar-staged', old: 'bar-running', missing: 'bar-missing' };

/** A running deployment with its steps. */
export function Running({ deployment }: { deployment: DeploymentJson }) {
  const { id, version, steps, currentStep, totalSteps, affectedApps } = deployment;
  return (
    <section class="panel stack" aria-label={`Deployment ${id}`}>
      <div class="head">
        <h2 class="title">
          {affectedApps.slice(0, 4).map((app, i) => (
            <span key={app}>
              {i > 0 && ', '}
              <AppLink id={app} row />
            </span>
          ))}
          {affectedApps.length > 4 && ` and ${affectedApps.length - 4} more`}
        </h2>
        <span class="faint">
          step {currentStep} of {totalSteps}, began <Age at={version} /> ago
        </span>
        {isOperator.value && <Buttons deployment={deployment} />}
      </div>
      <Failures id={id} />
      <ol class="steps">
        {steps.map(({ actions }, i) => {
          const state = i + 1 < currentStep ? 'done' : i + 1 === currentStep ? 'current' : 'next';
          return (
            <li key={i} class={`step-${state}`} aria-current={state === 'current' ? 'step' : undefined}>
              {actions.map(({ action, app }, at) => (
                <div key={app} class="action">
                  <span>
                    {WORDS[action]} <AppLink id={app} />
                  </span>
                  {state === 'current' && (at < MAX_COUNTED ? <Progress app={app} /> : <Counts app={app} />)}
                </div>
              ))}
            </li>
          );
        })}
      </ol>
      <p class="mono">
        <a href={pathOf({ view: 'deployment', id })} aria-label={`Deployment ${id}`}>
          {id}
        </a>
      </p>
    </section>
  );
}

/** New and old instances of an app. */
function Progress({ app }: { app: string }) {
  const query = { embed: ['app.taskStats'] };
  const read = useLoaded(
    async () => progressOf((await api.call('GET', '/v2/apps/{id}', { path: { id: app }, query }, SHORT)).app),
    app,
    { concerns: ({ apps: changed }) => changed.includes(app), everyMs: EVERY_MS },
  );
  const progress = read.value;
  if (!progress || read.isMissing) return <Counts app={app} />;
  const text = progressText(progress);
  let x = 0;
  return (
    <span class="progress">
      <svg class="bar" role="img" aria-label={text} viewBox="0 0 100 8" preserveAspectRatio="none">
        <title>{text}</title>
        <rect class="bar-empty" width="100" height="8" />
        {progressParts(progress).map(({ kind, width }) => {
          const at = x;
          x += width;
          return <rect key={kind} class={BARS[kind]} x={at} width={width} height="8" />;
        })}
      </svg>
      <span class="faint">{text}</span>
    </span>
  );
}

function Counts({ app }: { app: string }) {
  const found = apps.value.get(app);
  if (!found) return null;
  const counts = countsOf(found);
  return (
    <span class="progress">
      <HealthBar counts={counts} />
      <span class="faint">
        {counts.running} of {counts.instances} running
      </span>
    </span>
  );
}

function Failures({ id }: { id: string }) {
  const single = useLoaded(() => api.call('GET', '/v2/deployments/{id}', { path: { id } }, SHORT), id, {
    everyMs: EVERY_MS,
  });
  // It may end at any moment.
  if (single.isMissing || single.value === undefined) return null;
  const { failures, rollbackOf } = single.value;
  return (
    <Show of={single}>
      {() => (
        <>
          {rollbackOf !== undefined && <p class="warning">It rolls back deployment {rollbackOf}.</p>}
          {failures > 0 && (
            <p class="problem">
              {failures} {failures === 1 ? 'task has' : 'tasks have'} failed.
            </p>
          )}
        </>
      )}
    </Show>
  );
}

function Buttons({ deployment: { id, affectedApps } }: { deployment: DeploymentJson }) {
  const names = affectedApps.map(plain).join(', ').slice(0, 200);
  const rollBack = async () => {
    const body = <p>A new deployment gives {names} their previous versions again.</p>;
    if (!(await ask({ title: 'Roll back the deployment?', action: 'Roll back', body }))) return;
    await attempt('The deployment is being rolled back.', () =>
      api.call('DELETE', '/v2/deployments/{id}', { path: { id } }),
    );
  };
  const stop = async () => {
    const body = (
      <p>{names} stay as they are now: with tasks of both versions, if some were replaced already.</p>
    );
    if (!(await ask({ title: 'Stop the deployment where it is?', action: 'Stop', body, isDangerous: true })))
      return;
    await attempt('The deployment was stopped.', () =>
      api.call('DELETE', '/v2/deployments/{id}', { path: { id }, query: { force: true } }),
    );
  };
  return (
    <div class="buttons">
      <button type="button" onClick={rollBack}>
        Roll back …
      </button>
      <button type="button" class="danger" onClick={stop}>
        Stop …
      </button>
    </div>
  );
}
