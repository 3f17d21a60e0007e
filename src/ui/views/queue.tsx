import type { QueueJson } from '../../scheduler/api/v2/queue-schemas.ts';
import { api, SHORT } from '../live/api.ts';
import { AppLink } from '../parts/app-link.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { attempt } from '../parts/notices.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Age } from '../parts/time.tsx';
import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';
import { isOperator } from '../store.ts';

type Entry = QueueJson['queue'][number];

const EVERY_MS = 3000;

/** The apps whose instances wait for offers or for the end of a delay. */
export function Queue() {
  const queue = useLoaded(() => api.call('GET', '/v2/queue', {}, SHORT), '', {
    everyMs: EVERY_MS,
    concerns: ({ apps }) => apps.length > 0,
  });
  return (
    <>
      <h1>
        Queue <span class="faint">{queue.value?.queue.length}</span>
      </h1>
      <Show of={queue}>
        {(value) =>
          value.queue.length === 0 ? (
            <div class="panel empty">No app is waiting: all instances have been launched.</div>
          ) : (
            <Table entries={value.queue} reload={queue.reload} />
          )
        }
      </Show>
    </>
  );
}

function Table({ entries, reload }: { entries: readonly Entry[]; reload: () => void }) {
  return (
    <Scroll label="Table of the waiting apps">
      <table>
        <thead>
          <tr>
            <th>App</th>
            <th class="number">Instances</th>
            <th>Waiting</th>
            <th>Next launch</th>
            <th>Why</th>
            <th>
              <span class="hidden">Changes</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <QueueRow key={entry.app.id} entry={entry} reload={reload} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function QueueRow({ entry, reload }: { entry: Entry; reload: () => void }) {
  const { app, count, since, delay, processedOffersSummary: summary } = entry;
  const { id } = app;
  const endDelay = async () => {
    const change = () => api.call('DELETE', '/v2/queue/{id}/delay', { path: { id } });
    if (await attempt(`${plain(id)} is launched again at once.`, change)) reload();
  };
  return (
    <tr>
      <td>
        <AppLink id={id} row />
      </td>
      <td class="number">{count}</td>
      <td>
        <Age at={since} />
      </td>
      <td>{delay.overdue ? 'with the next fitting offer' : `in ${delay.timeLeftSeconds} s`}</td>
      <td>
        {summary.reasons.map((reason) => (
          <div key={reason}>{plain(reason)}</div>
        ))}
        <a
          href={pathOf({ view: 'app', id, tab: 'why' })}
          aria-label={`Why ${plain(id)} is waiting, for each agent`}
        >
          For each agent
        </a>
      </td>
      <td class="right">
        {isOperator.value && !delay.overdue && (
          <button type="button" onClick={endDelay} aria-label={`End the delay of ${plain(id)}`}>
            End the delay
          </button>
        )}
      </td>
    </tr>
  );
}
