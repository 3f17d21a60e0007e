/** Remembers the schedulers of the cluster: if the one that serves the page is gone, nobody else can name the others. */

import type { SchedulerMember } from '../state/schedulers.ts';
import { ofSession } from '../store.ts';
import { api, SHORT } from './api.ts';

export const schedulers = ofSession<readonly SchedulerMember[]>([]);

const EVERY_MS = 60_000;

/** @returns a function that ends it */
export function followSchedulers(): () => void {
  const end = new AbortController();
  const read = async () => {
    const query = { embed: 'schedulers' };
    const { schedulers: found } = await api.call(
      'GET',
      '/v2/info',
      { query },
      { ...SHORT, signal: end.signal },
    );
    if (found && !end.signal.aborted) schedulers.value = found;
  };
  // Without an answer, keeps the last list: that is when it is needed.
  const tryToRead = () => void read().catch(() => {});
  tryToRead();
  const timer = setInterval(() => document.hidden || tryToRead(), EVERY_MS);
  return () => {
    clearInterval(timer);
    end.abort();
  };
}
