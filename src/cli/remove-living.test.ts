import { expect, test } from 'vitest';
import type { Role } from '../cluster/cluster.ts';
import { type Done, removeLiving } from './remove-living.ts';

/** @returns the runs, with `!` for those that ask no question, and whether the file was edited */
async function removing(
  drain: Done,
  uninstall: Done,
  yes = false,
  roles: readonly Role[] = ['agent'],
): Promise<string[]> {
  const seen: string[] = [];
  const host = { name: 'h4', roles };
  const removed = await removeLiving(
    host,
    { yes, purge: false },
    async () => {
      seen.push('forget');
    },
    async ({ command }, sure) => {
      seen.push(`${command}${sure ? '!' : ''}`);
      return command === 'drain' ? drain : uninstall;
    },
  );
  expect(removed).toBe(seen.includes('forget'));
  return seen;
}

const done = { changes: 1, isDone: true };

test('asks once: for the drain, or for the uninstall if there is nothing to drain', async () => {
  expect(await removing(done, done)).toEqual(['drain', 'uninstall!', 'forget']);
  expect(await removing({ changes: 0, isDone: true }, done)).toEqual(['drain', 'uninstall', 'forget']);
  expect(await removing({ changes: 0, isDone: true }, done, true)).toEqual([
    'drain!',
    'uninstall!',
    'forget',
  ]);
});

test('the other members forget a member when its master has stopped, and before it is uninstalled', async () => {
  const order = ['drain', 'install!', 'uninstall!', 'forget'];
  expect(await removing(done, done, false, ['zookeeper', 'master', 'agent'])).toEqual(order);
  expect(await removing(done, done, false, ['scheduler'])).toEqual(order);
});

test('goes on only when the step before is done', async () => {
  expect(await removing({ changes: 1, isDone: false }, done)).toEqual(['drain']);
  expect(await removing(done, { changes: 1, isDone: false })).toEqual(['drain', 'uninstall!']);
});
