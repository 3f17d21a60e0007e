/** Changes that a running deployment of the same apps keeps from happening. */

import { ApiError } from '../../client/api-error.ts';
import { ask } from './dialog.tsx';
import { attempt } from './notices.tsx';

/**
 * Makes a change, and says how it went. If a running deployment changes the same apps, asks whether to replace it.
 * @param change with `force`, the deployment is replaced
 * @returns true if it was accepted
 */
export function attemptForcibly(
  done: string,
  change: (options: { readonly force: boolean }) => Promise<unknown>,
): Promise<boolean> {
  return attempt(done, async () => {
    try {
      await change({ force: false });
    } catch (error) {
      if (!(error instanceof ApiError) || error.deployments.length === 0) throw error;
      const body = <p>A deployment of the same apps is still running. Your change can replace it.</p>;
      const isSure = await ask({ title: 'Replace the running deployment?', action: 'Replace', body });
      if (!isSure) throw error;
      await change({ force: true });
    }
  });
}
