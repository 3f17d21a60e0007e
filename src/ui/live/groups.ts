/** Reads the groups: apps name those that they are in, but not the empty ones. */

import { effect } from '@preact/signals';
import { groupIds } from '../state/tree.ts';
import { groups } from '../store.ts';
import { api, SHORT } from './api.ts';
import { onEvent, signedOut } from './feed.ts';
import { connections } from './stream.ts';

/** Changes come together. */
const GATHER_MS = 300;
const RETRY_MS = 5000;

/** @returns a function that ends it */
export function followGroups(): () => void {
  const end = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async () => {
    timer = undefined;
    try {
      const query = { embed: 'group.groups' };
      const root = await api.call('GET', '/v2/groups', { query }, { ...SHORT, signal: end.signal });
      if (!end.signal.aborted) groups.value = groupIds(root);
    } catch (error) {
      if (!end.signal.aborted && !signedOut(error)) later(RETRY_MS);
    }
  };
  const later = (ms = GATHER_MS) => {
    timer ??= setTimeout(read, ms);
  };
  const ends = [
    onEvent(({ type }) => {
      if (type.startsWith('group_') || type === 'app_terminated_event') later();
    }),
    effect(() => {
      if (connections.value >= 0) later();
    }),
  ];
  return () => {
    for (const one of ends) one();
    clearTimeout(timer);
    end.abort();
  };
}
