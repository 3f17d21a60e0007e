import { age } from '../../apps/units.ts';
import { now } from '../store.ts';

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** The time in the viewer's zone, with the exact one, to the millisecond in UTC, too. */
function title(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : `${exact.format(date)} (${at})`;
}

/** The time since then. */
export function Age({ at }: { at: string | undefined }) {
  if (at === undefined) return <span>–</span>;
  return (
    <time dateTime={at} title={title(at)}>
      {age(at, now.value)}
    </time>
  );
}

/** The time of day; or with the date. */
export function When({ at, date = false }: { at: string; date?: boolean }) {
  const time = new Date(at);
  const text = Number.isNaN(time.getTime()) ? at : (date ? exact : clock).format(time);
  return (
    <time dateTime={at} title={title(at)}>
      {text}
    </time>
  );
}
