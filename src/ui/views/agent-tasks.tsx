import { stateOf } from '../../apps/app-rows.ts';
import { taskLabel } from '../../apps/log-lines.ts';
import { api, SHORT } from '../live/api.ts';
import { AppLink } from '../parts/app-link.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Age } from '../parts/time.tsx';
import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';

const LIMIT = 500;
const EVERY_MS = 10_000;

/** The tasks of this scheduler on an agent. */
export function TaskTable({ agent }: { agent: string }) {
  const query = { agent, limit: LIMIT };
  const tasks = useLoaded(() => api.call('GET', '/v2/tasks', { query }, SHORT), agent, {
    everyMs: EVERY_MS,
    concerns: ({ json }) => json.slaveId === agent || json.agentId === agent,
  });
  return (
    <Scroll label="Tasks">
      <h2>
        Tasks <span class="faint">{tasks.value?.tasks.length}</span>
      </h2>
      <Show of={tasks}>
        {({ tasks: all, next }) =>
          all.length === 0 ? (
            <p class="faint">This agent has no tasks of this scheduler.</p>
          ) : (
            <>
              <table>
                <thead>
                  <tr>
                    <th>Task</th>
                    <th>App</th>
                    <th>State</th>
                    <th>Ports</th>
                    <th>Age</th>
                  </tr>
                </thead>
                <tbody>
                  {all.map((task) => {
                    const { id, appId, ports, startedAt, stagedAt } = task;
                    const state = stateOf(task);
                    return (
                      <tr key={id}>
                        <td>
                          <a
                            href={pathOf({ view: 'app', id: appId, tab: 'logs', task: id })}
                            title={plain(id)}
                            data-row
                          >
                            {plain(taskLabel(id))}
                          </a>
                        </td>
                        <td>
                          <AppLink id={appId} />
                        </td>
                        <td>
                          <span class={`state state-${state}`}>{state}</span>
                        </td>
                        <td class="mono">{ports.join(' ') || '–'}</td>
                        <td>
                          <Age at={startedAt ?? stagedAt} />
                        </td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
              {next !== undefined && <p class="faint">The first {LIMIT} are shown.</p>}
            </>
          )
        }
      </Show>
    </Scroll>
  );
}
