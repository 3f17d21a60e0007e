import { stateOf } from '../../../apps/app-rows.ts';
import { taskLabel } from '../../../apps/log-lines.ts';
import type { TaskJson } from '../../../scheduler/api/v2/app-schemas.ts';
import { killTask } from '../../changes.ts';
import { ask } from '../../parts/dialog.tsx';
import { attempt } from '../../parts/notices.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { Age } from '../../parts/time.tsx';
import { plain } from '../../state/plain.ts';
import { pathOf } from '../../state/route.ts';
import { isOperator } from '../../store.ts';
import type { FullApp } from './full-app.ts';

/** The table of an app's instances. */
export function Instances({ app }: { app: FullApp }) {
  const { tasks = [] } = app;
  if (tasks.length === 0) {
    return (
      <div class="panel empty">
        {app.instances === 0 ? (
          <p>The app is suspended. Scale it to run instances.</p>
        ) : (
          <p>
            No instance has been launched.{' '}
            <a href={pathOf({ view: 'app', id: app.id, tab: 'why' })}>Why it waits</a>
          </p>
        )}
      </div>
    );
  }
  return (
    <Scroll label="Table of the instances">
      <table>
        <thead>
          <tr>
            <th>Task</th>
            <th>State</th>
            <th>Health</th>
            <th>Agent</th>
            <th>Ports</th>
            <th>IP address</th>
            <th>Age</th>
            <th>Version</th>
            <th>
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <InstanceRow key={task.id} app={app} task={task} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function InstanceRow({ app, task }: { app: FullApp; task: TaskJson }) {
  const { id, host, ports, ipAddresses, startedAt, stagedAt, version } = task;
  const state = stateOf(task);
  const name = plain(taskLabel(id));
  return (
    <tr>
      <td>
        <a href={pathOf({ view: 'app', id: app.id, tab: 'logs', task: id })} title={plain(id)} data-row>
          {name}
        </a>
      </td>
      <td>
        <span class={`state state-${state}`}>{state}</span>
      </td>
      <td>
        <Health task={task} />
      </td>
      <td>
        <a href={pathOf({ view: 'agent', id: task.slaveId })}>{plain(host)}</a>
      </td>
      <td class="mono">{ports.join(' ') || '–'}</td>
      <td class="mono">{ipAddresses.map(({ ipAddress }) => plain(ipAddress)).join(' ') || '–'}</td>
      <td>
        <Age at={startedAt ?? stagedAt} />
      </td>
      <td>
        {version === app.version ? 'current' : <Age at={version} />}
        {version !== app.version && ' old'}
      </td>
      <td>
        <div class="buttons nowrap">
          <a
            class="button small"
            href={pathOf({ view: 'app', id: app.id, tab: 'logs', task: id })}
            aria-label={`Logs of ${name}`}
          >
            Logs
          </a>
          {isOperator.value && (
            <>
              <a
                class="button small"
                href={pathOf({ view: 'app', id: app.id, tab: 'terminal', task: id })}
                aria-label={`Terminal in ${name}`}
              >
                Terminal
              </a>
              <button type="button" class="small" onClick={() => kill(app, task)} aria-label={`Kill ${name}`}>
                Kill …
              </button>
            </>
          )}
        </div>
      </td>
    </tr>
  );
}

function Health({ task: { healthCheckResults = [] } }: { task: TaskJson }) {
  if (healthCheckResults.length === 0) return <span class="faint">–</span>;
  const failed = healthCheckResults.find(({ alive }) => !alive);
  if (!failed) return <span class="state state-healthy">healthy</span>;
  return (
    <>
      <span class="state state-unhealthy">unhealthy</span>
      {failed.lastFailureCause !== undefined && (
        <div class="faint cause">{plain(failed.lastFailureCause)}</div>
      )}
    </>
  );
}

async function kill({ id, mode }: FullApp, task: TaskJson): Promise<void> {
  const name = plain(taskLabel(task.id));
  const body = (
    <>
      <p>Another task takes its place.</p>
      {mode === undefined && (
        <label class="check">
          <input type="checkbox" name="scale" />
          Scale down instead: the app gets one instance less
        </label>
      )}
    </>
  );
  const values = await ask({ title: `Kill ${name}?`, action: 'Kill', body, isDangerous: true });
  if (values)
    await attempt(`${name} will be killed.`, () => killTask(id, task.id, values.get('scale') !== null));
}
