import type { InfoJson } from '../../scheduler/api/v2/scheduler-schemas.ts';
import { api, SHORT } from '../live/api.ts';
import { samples } from '../live/sampler.ts';
import { connection } from '../live/stream.ts';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Age } from '../parts/time.tsx';
import { plain } from '../state/plain.ts';
import { BASE } from '../state/route.ts';
import { type SchedulerMember, urlFor } from '../state/schedulers.ts';
import { plotOf } from '../state/series.ts';
import { now } from '../store.ts';
import '../style/scheduler.css';
import { Scroll } from '../parts/scroll.tsx';

const EVERY_MS = 5000;
const EMBEDS = ['connected', 'masters', 'schedulers'];
const WIDTH = 300;
const HEIGHT = 60;
const UPTIME = 'mesosup.uptime.seconds';

const count = (value: number) => String(Math.round(value));
const PLOTS: readonly { name: string; title: string; text: (value: number) => string }[] = [
  { name: 'mesosup.tasks.TASK_RUNNING', title: 'Running tasks', text: count },
  { name: 'mesosup.apps.waiting', title: 'Waiting apps', text: count },
  { name: 'mesosup.tasks.unanswered', title: 'Launches without an answer', text: count },
  { name: 'mesosup.apps', title: 'Apps', text: count },
  { name: 'mesosup.memory.bytes', title: 'Memory', text: (value) => `${Math.round(value / 2 ** 20)} MiB` },
  { name: 'mesosup.connections', title: 'Connections to the API', text: count },
];

/** The scheduler itself: who leads, what it is connected to, and its main metrics. */
export function Scheduler() {
  const info = useLoaded(() => api.call('GET', '/v2/info', { query: { embed: EMBEDS } }, SHORT), '', {
    everyMs: EVERY_MS,
    concerns: ({ type }) => type.startsWith('scheduler_'),
  });
  return (
    <>
      <h1>Scheduler</h1>
      <Show of={info}>{(value) => <Facts info={value} />}</Show>
      <section aria-label="Metrics" class="plots">
        {PLOTS.map((one) => (
          <PlotOf key={one.name} {...one} />
        ))}
      </section>
      <p class="faint">The plots show the time since the page was opened, at most an hour.</p>
    </>
  );
}

function Facts({ info }: { info: InfoJson }) {
  const { marathon_config: config, zookeeper_config: zookeeper } = info;
  const uptime = samples.value.at(-1)?.values[UPTIME];
  const { state } = connection.value;
  return (
    <div class="columns">
      <section class="panel" aria-label="Scheduler">
        <h2>Scheduler</h2>
        <dl class="facts">
          <dt>Leader</dt>
          <dd>{plain(info.leader)}</dd>
          <dt>Schedulers</dt>
          <dd>
            <Schedulers all={info.schedulers ?? []} />
          </dd>
          <dt>This page is from</dt>
          <dd>{location.host}</dd>
          <dt>Version</dt>
          <dd>
            {plain(info.name)} {plain(info.version)}
          </dd>
          <dt>Uptime of the leader</dt>
          <dd>
            {uptime === undefined ? '–' : <Age at={new Date(now.peek() - uptime * 1000).toISOString()} />}
          </dd>
          <dt>Events</dt>
          <dd>
            <span class={`state state-${state}`}>{state}</span>
          </dd>
          <dt>Several schedulers</dt>
          <dd>{config.ha ? 'yes' : 'no: if this one stops, tasks go on, but nothing is replaced'}</dd>
          {zookeeper.zk_hosts !== undefined && (
            <>
              <dt>ZooKeeper</dt>
              <dd>
                {plain(zookeeper.zk_hosts)}
                {plain(zookeeper.zk_path ?? '')}
              </dd>
            </>
          )}
        </dl>
      </section>
      <section class="panel" aria-label="Mesos">
        <h2>Mesos</h2>
        <dl class="facts">
          <dt>Connected</dt>
          <dd>
            <span class={`state state-${info.connected === false ? 'failed' : 'healthy'}`}>
              {info.connected === false ? 'no: nothing can be launched' : 'yes'}
            </span>
          </dd>
          <dt>Leading master</dt>
          <dd>{plain(config.mesos_leader_ui_url ?? '–')}</dd>
          <dt>Masters' address</dt>
          <dd>{plain(config.master)}</dd>
          <dt>Framework</dt>
          <dd>
            {plain(config.framework_name)} <span class="mono">{plain(info.frameworkId ?? '–')}</span>
          </dd>
          <dt>Role</dt>
          <dd>{plain(config.mesos_role)}</dd>
          <dt>User of tasks</dt>
          <dd>{plain(config.mesos_user)}</dd>
        </dl>
        <Masters info={info} />
      </section>
    </div>
  );
}

function Schedulers({ all }: { all: readonly SchedulerMember[] }) {
  if (all.length === 0) return <>–</>;
  return (
    <ul class="plain-list">
      {all.map((one) => (
        <li key={one.address}>
          <a href={`${urlFor(one, location.protocol)}${BASE}scheduler`}>{plain(one.address)}</a>
          <span class="faint">{one.leads ? ' leads' : ' standby'}</span>
        </li>
      ))}
    </ul>
  );
}

function Masters({ info: { masters = [], mastersProblem: problem } }: { info: InfoJson }) {
  if (problem !== undefined) {
    return (
      <p class="problem" role="alert">
        The masters are not known: {plain(problem)}
      </p>
    );
  }
  if (masters.length === 0) return null;
  return (
    <Scroll label="Table of the masters" isPanel={false}>
      <table>
        <thead>
          <tr>
            <th>Master</th>
            <th>State</th>
            <th>Mesos</th>
            <th>Uptime</th>
          </tr>
        </thead>
        <tbody>
          {masters.map(({ address, leads, version, startedAt, problem: why }) => (
            <tr key={address}>
              <td>{plain(address)}</td>
              <td>
                <span class={`state state-${why === undefined ? 'healthy' : 'unreachable'}`}>
                  {why === undefined ? dutyOf(leads) : 'unreachable'}
                </span>
                {why !== undefined && <div class="faint cause">{plain(why)}</div>}
              </td>
              <td>{plain(version ?? '–')}</td>
              <td>
                <Age at={startedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function dutyOf(leads: boolean | undefined): string {
  if (leads === undefined) return 'answers';
  return leads ? 'leads' : 'standby';
}

function PlotOf({ name, title, text }: (typeof PLOTS)[number]) {
  const { points, min, max, last } = plotOf(samples.value, name, WIDTH, HEIGHT);
  // A single sample is a line, too.
  const line = points.length === 1 ? [...points, { x: WIDTH, y: points[0]?.y ?? 0 }] : points;
  const shown = last === undefined ? 'not known' : text(last);
  return (
    <figure class="panel plot">
      <figcaption>
        {title} <strong>{shown}</strong>
      </figcaption>
      <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 4}`} role="img" preserveAspectRatio="none">
        <title>
          {title}: {shown}, from {text(min)} to {text(max)}
        </title>
        <polyline
          class="plot-line"
          points={line.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}
        />
      </svg>
      <div class="faint plot-range">
        <span>
          {text(min)} to {text(max)}
        </span>
        <span>{samples.value[0] && <Age at={new Date(samples.value[0].at).toISOString()} />}</span>
      </div>
    </figure>
  );
}
