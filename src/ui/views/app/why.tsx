import type { ExplanationJson } from '../../../scheduler/api/v2/queue-schemas.ts';
import { api, SHORT } from '../../live/api.ts';
import { Show, useLoaded } from '../../parts/loaded.tsx';
import { Scroll } from '../../parts/scroll.tsx';
import { Age } from '../../parts/time.tsx';
import { plain } from '../../state/plain.ts';
import { pathOf } from '../../state/route.ts';
import { isOperator } from '../../store.ts';
import { LastFailure } from './failure.tsx';
import type { FullApp } from './full-app.ts';

const EVERY_MS = 3000;

/** Explains for each agent why instances are waiting. */
export function Why({ app }: { app: FullApp }) {
  const { id } = app;
  const why = useLoaded(() => api.call('GET', '/v2/apps/{id}/explain', { path: { id } }, SHORT), id, {
    everyMs: EVERY_MS,
    concerns: ({ apps }) => apps.includes(id),
  });
  return (
    <>
      <Show of={why}>{(value) => <Explanation id={id} value={value} />}</Show>
      <LastFailure app={app} />
    </>
  );
}

function Explanation({ id, value }: { id: string; value: ExplanationJson }) {
  const { missing, since, reasons, agents, nearest, change } = value;
  if (missing === 0 && reasons.length === 0) {
    return <div class="panel empty">Nothing is waiting: all instances have been launched.</div>;
  }
  return (
    <>
      <section class="panel stack" aria-label="Reasons">
        <h2>
          {missing} {missing === 1 ? 'instance is' : 'instances are'} waiting
          {since !== undefined && (
            <>
              {' '}
              for <Age at={since} />
            </>
          )}
        </h2>
        <ul class="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{plain(reason)}</li>
          ))}
        </ul>
        {nearest && (
          <p>
            Nearest fit: <strong>{plain(nearest.hostname)}</strong> lacks only{' '}
            {plain(nearest.lacks.join(', '))}.
          </p>
        )}
        {change && (
          <p class="warning">
            A change that would place it: {plain(change.text)}
            {isOperator.value && (
              <>
                {' '}
                <a href={pathOf({ view: 'edit', id })}>Edit the app</a>
              </>
            )}
          </p>
        )}
      </section>
      {agents.length > 0 && <AgentTable agents={agents} />}
    </>
  );
}

function AgentTable({ agents }: { agents: ExplanationJson['agents'] }) {
  return (
    <Scroll label="Agents">
      <table>
        <thead>
          <tr>
            <th>Agent</th>
            <th>Its last offer</th>
            <th>Checks</th>
          </tr>
        </thead>
        <tbody>
          {agents.map(({ agentId, hostname, at, checks }) => (
            <tr key={agentId}>
              <td>{plain(hostname)}</td>
              <td>
                <Age at={at} /> ago
              </td>
              <td>
                {checks.map((check) => (
                  <div key={check.stage} class={check.ok ? 'fits' : 'fails'}>
                    <span aria-hidden="true">{check.ok ? '✓' : '✗'}</span> {check.stage}
                    {check.ok ? (
                      <span class="hidden"> fits</span>
                    ) : (
                      `: ${plain(check.reason ?? 'does not fit')}`
                    )}
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
