import { computed } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { AppLink } from '../parts/app-link.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { When } from '../parts/time.tsx';
import { query, setQuery } from '../router.ts';
import { aboutText, type LiveEvent, matchesEvent } from '../state/events.ts';
import { plainLine } from '../state/plain.ts';
import { events, ofSession } from '../store.ts';

/** More rows would slow down the page; the filter finds the others. */
const MAX_SHOWN = 300;

/** The events at which the user has paused; undefined while they go on. */
const paused = ofSession<readonly LiveEvent[] | undefined>(undefined);
const filter = computed(() => query.value.get('q') ?? '');
const matching = computed(() =>
  (paused.value ?? events.value).filter((one) => matchesEvent(one, filter.value)),
);

/** The events since the page was opened, the newest first. */
export function Events() {
  useEffect(
    () => () => {
      paused.value = undefined;
    },
    [],
  );
  const all = matching.value;
  const shown = all.slice(-MAX_SHOWN).reverse();
  return (
    <>
      <div class="head">
        <h1>
          Events <span class="faint">{all.length}</span>
        </h1>
        <div class="filters">
          <label>
            Filter
            <input
              type="search"
              data-search
              placeholder="Type, app, task, message"
              value={filter.value}
              onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
            />
          </label>
          <button
            type="button"
            aria-pressed={paused.value !== undefined}
            onClick={() => {
              paused.value = paused.value ? undefined : events.value;
            }}
          >
            {paused.value ? 'Continue' : 'Pause'}
          </button>
        </div>
      </div>
      {shown.length === 0 ? (
        <div class="panel empty">
          {filter.value === '' ? 'No events since the page was opened.' : 'No event matches the filter.'}
        </div>
      ) : (
        <Scroll label="Table of the events">
          <table>
            <thead>
              <tr>
                <th>Time</th>
                <th>Event</th>
                <th>App</th>
                <th>About</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((event) => (
                <EventRow key={event.id} event={event} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function EventRow({ event }: { event: LiveEvent }) {
  const [isOpen, setOpen] = useState(false);
  const json = useRef<string>(undefined);
  if (isOpen) json.current ??= JSON.stringify(event.json, null, 2);
  return (
    <>
      <tr>
        <td>
          <When at={event.time} />
        </td>
        <td>
          <button
            type="button"
            class="quiet mono"
            data-row
            aria-expanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            {event.type}
          </button>
        </td>
        <td>
          {event.apps.slice(0, 3).map((id) => (
            <div key={id}>
              <AppLink id={id} />
            </div>
          ))}
          {event.apps.length > 3 && <span class="faint">and {event.apps.length - 3} more</span>}
        </td>
        <td class="about">{plainLine(aboutText(event))}</td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={4}>
            <pre>{json.current?.split('\n').map(plainLine).join('\n')}</pre>
          </td>
        </tr>
      )}
    </>
  );
}
