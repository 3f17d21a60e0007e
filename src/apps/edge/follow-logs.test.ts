import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ApiClient } from '../../client/api-client.ts';
import { ApiError } from '../../client/api-error.ts';
import { readAppLogs } from './follow-logs.ts';

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

async function read(client: ApiClient, follow: boolean) {
  const lines: string[] = [];
  const notes: string[] = [];
  await readAppLogs(client, '/a', {
    follow,
    signal: new AbortController().signal,
    onLine: async ({ task, text }) => {
      lines.push(`${task} ${text}`);
    },
    onNote: (text) => notes.push(text),
  });
  return { lines, notes };
}

test('reads the output of the other tasks when that of one is lost', async () => {
  const { lines, notes } = await read(clientOf({ a: 'x', b: undefined, c: 'y' }), false);
  expect(lines).toEqual(['a x', 'c y']);
  expect(notes).toEqual(['b: it does not exist']);
  await expect(read(clientOf({ b: undefined }), false)).rejects.toThrow(MISSING);
});

test('shows the last lines of an app that is removed', { timeout: 20_000 }, async () => {
  const { lines, notes } = await read(clientOf({ a: 'last' }, 1), true);
  expect(lines).toEqual(['a last']);
  expect(notes).toEqual(['The app /a was removed.']);
});
