import { api, SHORT } from '../../live/api.ts';
import { useLoaded } from '../../parts/loaded.tsx';
import { Age, When } from '../../parts/time.tsx';
import { plain, plainLine, plainLines } from '../../state/plain.ts';
import { pathOf } from '../../state/route.ts';
import type { FullApp } from './full-app.ts';

/** Lines of standard error. */
const TAIL = 20;

/** The last task that failed, with the end of its standard error. */
export function LastFailure({ app: { id, lastTaskFailure: failure } }: { app: FullApp }) {
  if (!failure) return null;
  const { taskId, host, message, state, timestamp, version } = failure;
  return (
    <section class="panel stack" aria-label="Last failure">
      <div class="head">
        <h2>
          Last failure, <Age at={timestamp} /> ago
        </h2>
        <a href={pathOf({ view: 'app', id, tab: 'logs', task: taskId })}>All its output</a>
      </div>
      <dl class="facts">
        <dt>What</dt>
        <dd class="lines">{plainLines(message) || state}</dd>
        <dt>State</dt>
        <dd>{state}</dd>
        <dt>Agent</dt>
        <dd>{plain(host)}</dd>
        <dt>Task</dt>
        <dd class="mono">{plain(taskId)}</dd>
        <dt>Version</dt>
        <dd>
          <When at={version} date />
        </dd>
      </dl>
      <Stderr task={taskId} />
    </section>
  );
}

function Stderr({ task }: { task: string }) {
  const output = useLoaded(
    () =>
      api.text('/v2/tasks/{id}/log', { path: { id: task }, query: { stream: 'stderr', tail: TAIL } }, SHORT),
    task,
  );
  if (output.error !== undefined) return <p class="faint">Its output can't be read: {output.error}</p>;
  if (output.value === undefined) return <p class="faint">Loading its output …</p>;
  if (output.value === '') return <p class="faint">It wrote nothing to standard error.</p>;
  return (
    <div>
      <h3>The end of its standard error</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled area must be reachable by keyboard */}
      <pre class="output" role="region" aria-label="Standard error" tabIndex={0}>
        {output.value.trimEnd().split('\n').map(plainLine).join('\n')}
      </pre>
    </div>
  );
}
