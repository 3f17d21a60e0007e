/** Makes a change of apps, waits for its deployment, and reports how it ended. */

import { LiveLines } from '../apps/edge/live-lines.ts';
import { DeploymentWatch } from '../apps/edge/wait-for-deployment.ts';
import type { Outcome } from '../apps/progress.ts';
import type { ApiClient } from '../client/api-client.ts';
import { Interrupted, MesosupError } from '../errors/mesosup-error.ts';

/** The answer to a change that is made by a deployment. */
interface Started {
  readonly deploymentId: string;
  readonly version?: string;
}

export interface DeployOptions {
  readonly wait: boolean;
  /** The ids of the apps, as far as they are known: for a deployment that ends before it is seen. */
  readonly apps?: readonly string[];
  /** True: the apps are removed. */
  readonly removes?: boolean;
  /** What was done, as a sentence without its end, for example `Scaled /web to 3 instances`. */
  readonly done: string;
  readonly say: (text: string) => void;
}

/**
 * @param change undefined if it turns out that nothing is to be done
 * @throws MesosupError if the deployment fails, Interrupted after Ctrl-C, ApiError
 */
export async function deploy(
  client: ApiClient,
  { wait, apps = [], removes = false, done, say }: DeployOptions,
  change: () => Promise<Started>,
): Promise<void> {
  if (!wait) {
    const { deploymentId } = await change();
    say(`Started deployment ${deploymentId}. Follow it with: mesosup app deployments watch ${deploymentId}`);
    return;
  }
  await watching(client, async (watch, interrupted) => {
    const { deploymentId, version } = await change();
    const [changed, removed] = removes ? [[], apps] : [apps, []];
    const expected = version === undefined ? undefined : { version, changed, removed };
    reportOutcome(await interrupted(deploymentId, watch.outcome(deploymentId, expected)), deploymentId);
  });
  say(`${done}.`);
}

/** Waits for a deployment that is running. @throws like `deploy` */
export async function watchDeployment(client: ApiClient, id: string): Promise<void> {
  await watching(client, async (watch, interrupted) => {
    await client.call('GET', '/v2/deployments/{id}', { path: { id } });
    reportOutcome(await interrupted(id, watch.outcome(id)), id);
  });
}

type Interruptible = (id: string, outcome: Promise<Outcome>) => Promise<Outcome>;

/** Ctrl-C ends the waiting, not the deployment. */
async function watching(
  client: ApiClient,
  body: (watch: DeploymentWatch, interruptible: Interruptible) => Promise<void>,
): Promise<void> {
  const interrupt = new AbortController();
  const abort = () => interrupt.abort(new Interrupted('Interrupted.'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, abort);
  const watch = await DeploymentWatch.open(
    client,
    new LiveLines(process.stderr, process.env.TERM),
    interrupt.signal,
  );
  try {
    await body(watch, (id, outcome) =>
      outcome.catch((error: unknown) => {
        if (!interrupt.signal.aborted) throw error;
        throw new Interrupted(`Stopped waiting. The deployment ${id} continues.`, {
          remedy: `Follow it with "mesosup app deployments watch ${id}", or undo it with "mesosup app deployments cancel ${id}".`,
        });
      }),
    );
  } finally {
    watch.close();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, abort);
  }
}

function reportOutcome(outcome: Outcome, id: string): void {
  switch (outcome.kind) {
    case 'success':
      return;
    case 'failed': {
      const why = outcome.reason === '' ? '' : `: ${outcome.reason}`;
      throw new MesosupError(`the deployment ${id} failed${why}`, {
        remedy: outcome.isRolledBack
          ? 'It was rolled back: the apps have their previous versions again.'
          : 'Show the apps with "mesosup app list", and what their tasks wrote with "mesosup app logs APP".',
      });
    }
    case 'failing':
      throw new MesosupError(
        `the deployment ${id} succeeded, but tasks of ${outcome.apps.join(', ')} failed right after they had started`,
        { remedy: 'They are started again. Show their state with "mesosup app show APP".' },
      );
    case 'unknown':
      throw new MesosupError(`the deployment ${id} has ended, but its result is not known`, {
        remedy: 'The leading scheduler changed. Show the apps with "mesosup app list".',
      });
  }
}
