/** Samples the scheduler's metrics while the page is open. */

import { type Sample, withSample } from '../state/series.ts';
import { ofSession } from '../store.ts';
import { api, SHORT } from './api.ts';

export const samples = ofSession<readonly Sample[]>([]);

const EVERY_MS = 5000;

/** @returns a function that ends it */
export function startSampler(): () => void {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout>;
  const sample = async () => {
    // A page that nobody sees asks for nothing.
    if (!document.hidden) {
      // What is wrong with the connection is shown elsewhere; a plot has a gap.
      await read().catch(() => {});
    }
    if (!isOver) timer = setTimeout(sample, EVERY_MS);
  };
  void sample();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

async function read(): Promise<void> {
  const { gauges } = await api.call('GET', '/metrics', {}, SHORT);
  const values = Object.fromEntries(Object.entries(gauges).map(([name, { value }]) => [name, value]));
  samples.value = withSample(samples.peek(), { at: Date.now(), values });
}
