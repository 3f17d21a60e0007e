import { expect } from 'vitest';
import type { Host } from '../../../src/hosts/host.ts';
import { Inbox } from '../../support/inbox.ts';

/** Expects that an abort ends a run with its reason, before and after its start, and that the connection stays usable. */
export async function expectAbortable(host: Host): Promise<void> {
  const abort = new AbortController();
  const lines = new Inbox<string>();
  const run = host.run('echo on; sleep 30', { signal: abort.signal, onLine: lines.put });
  await lines.next();
  abort.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
  await expect(host.run('true', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow(
    'before',
  );
  expect((await host.run('echo well')).stdout).toBe('well\n');
}
