import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { ApiClient } from '../../client/api-client.ts';
import { ApiError } from '../../client/api-error.ts';
import { type LogOptions, readAppLogs, readTaskLog } from './follow-logs.ts';

const MISSING = new ApiError('it does not exist', { status: 404 });

/** A client of a scheduler with these tasks; the output of a task is a line, or undefined if its agent is lost. */
function clientOf(outputs: Readonly<Record<string, string | undefined>>, listings = Infinity): ApiClient {
  let listed = 0;
  const removed = Promise.withResolvers<void>();
  return {
    call: async () => {
      listed += 1;
      if (listed > listings) {
        removed.resolve();
        throw MISSING;
      }
      return { tasks: Object.keys(outputs).map((id) => ({ id, startedAt: 'now' })) };
    },
    async *events(
      path: string,
      { path: of }: { path?: { id: string } },
      { signal }: { signal: AbortSignal },
    ) {
      if (path === '/v2/events') return new Promise(() => {});
      const output = outputs[of?.id ?? ''];
      if (output === undefined) throw MISSING;
      // The last lines are late.
      if (listings < Infinity) await removed.promise.then(() => sleep(50));
      signal.throwIfAborted();
      yield { type: 'stdout', data: JSON.stringify({ text: output }), id: '1' };
      return undefined;
    },
  } as unknown as ApiClient;
}

async function read(client: ApiClient, follow: boolean, more: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const notes: string[] = [];
  await readAppLogs(client, '/a', {
    follow,
    signal: new AbortController().signal,
    onLine: async ({ task, text }) => {
      lines.push(`${task} ${text}`);
    },
    onNote: (text) => notes.push(text),
    ...more,
  });
  return { lines, notes };
}

test('reads the output of the other tasks when that of one is lost', async () => {
  const { lines, notes } = await read(clientOf({ a: 'x', b: undefined, c: 'y' }), false);
  expect(lines).toEqual(['a x', 'c y']);
  expect(notes).toEqual(['b: it does not exist']);
  await expect(read(clientOf({ b: undefined }), false)).rejects.toThrow(MISSING);
});

/**
 * A client of a scheduler that knows no times of the task `b`.
 * @param asked gets the query of each log
 * @param awaited gets the tasks whose agents are awaited
 */
function clientWithTimes(asked: object[], awaited: unknown[] = []): ApiClient {
  const none = new ApiError('since is refused', { status: 422, fields: [{ field: 'since', why: '' }] });
  return {
    call: async () => ({ tasks: ['a', 'b'].map((id) => ({ id, startedAt: 'now' })) }),
    async *events(
      path: string,
      { path: of, query }: { path?: { id: string }; query: { since?: string } },
      { awaits }: { awaits?: boolean },
    ) {
      if (path === '/v2/events') {
        yield { data: JSON.stringify({ appId: '/a', taskId: 'c', taskStatus: 'TASK_RUNNING' }) };
        return new Promise(() => {});
      }
      asked.push({ task: of?.id, ...query });
      if (awaits) awaited.push(of?.id);
      if (of?.id === 'b' && query.since !== undefined) throw none;
      yield { type: 'stdout', data: JSON.stringify({ text: 'x\n' }), id: '1' };
      return undefined;
    },
  } as unknown as ApiClient;
}

test('reads since a time, and names a task without times', async () => {
  const asked: object[] = [];
  const { lines, notes } = await read(clientWithTimes(asked), false, { since: '10m', tail: 5 });
  expect(asked).toEqual(
    ['a', 'b'].map((task) => ({ task, stream: 'both', follow: false, since: '10m', tail: 5 })),
  );
  expect([lines, notes]).toEqual([['a x'], ['b: since is refused']]);
});

test('follows the new output of a task without times, and all output of new tasks', async () => {
  const asked: object[] = [];
  const awaited: unknown[] = [];
  const done = new AbortController();
  const following = read(clientWithTimes(asked, awaited), true, { since: '10m', signal: done.signal });
  await vi.waitFor(() => expect(asked).toHaveLength(4));
  done.abort();
  await expect(following).rejects.toThrow('abort');
  // A new leader may not have found the agent of a task that has just begun.
  expect(awaited).toEqual(['c']);
  const follow = { stream: 'both', follow: true };
  expect(asked).toEqual([
    { task: 'a', ...follow, since: '10m' },
    { task: 'b', ...follow, since: '10m' },
    { task: 'b', ...follow, tail: 0 },
    { task: 'c', ...follow },
  ]);
});

test('ends a line behind which output is missing', async () => {
  const client = {
    async *events() {
      for (const piece of [{ text: 'half' }, { text: 'next\n', lost: true }])
        yield { type: 'stdout', data: JSON.stringify(piece), id: '' };
    },
  } as unknown as ApiClient;
  const seen: string[] = [];
  await readTaskLog(client, 't', {
    follow: false,
    signal: new AbortController().signal,
    onLine: async ({ text }) => void seen.push(text),
    onNote: (text) => seen.push(text),
  });
  expect(seen).toEqual(['half', 't: output was removed before it was read', 'next']);
});

test('shows the last lines of an app that is removed', { timeout: 20_000 }, async () => {
  const { lines, notes } = await read(clientOf({ a: 'last' }, 1), true);
  expect(lines).toEqual(['a last']);
  expect(notes).toEqual(['The app /a was removed.']);
});
