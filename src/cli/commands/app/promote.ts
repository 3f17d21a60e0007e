import { definitionFields } from '../../../apps/apply-plan.ts';
import { instancesToCome, isOutdated, isPromoted, promoted } from '../../../apps/canary.ts';
import { differenceLines } from '../../../apps/versions.ts';
import type { ApiClient } from '../../../client/api-client.ts';
import { MesosupError, UsageError } from '../../../errors/mesosup-error.ts';
import { count } from '../../../text/count.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { canaryToEnd, endCanary } from '../../canary-of-app.ts';
import { started } from '../../change-app.ts';
import { deploy, watchDeployment } from '../../deploy.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppPromote extends ApiCommand {
  static override summary = 'Give an app the definition of its canary, and end the canary.';
  static override description =
    'Shows what changes, replaces the tasks of the app by its upgradeStrategy, and ends the canary when that is done. After an interruption, the same command resumes. It refuses an app that somebody changed after the canary had started.';
  static override examples = ['<%= config.bin %> app promote web'];
  static override args = { app: appArgument };
  static override flags = { force: waitFlags.force };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppPromote);
    const { client } = await this.connect(flags);
    const id = appIdOf(args.app);
    const { force } = flags;
    const { app } = await client.call('GET', '/v2/apps/{id}', { path: { id } });
    const canary = await canaryToEnd(client, id);
    const say = (text: string) => this.log(text);
    if (isPromoted(app, canary)) {
      say(`${id} already has the definition of ${canary.id}.`);
      for (const { id: running } of app.deployments ?? []) await watchDeployment(client, running);
      await this.#checkReady(client, id);
    } else {
      if (isOutdated(app, canary)) {
        throw new UsageError(`${id} was changed after its canary had started`, {
          remedy: `See how with "mesosup app history ${id.slice(1)}". Start the canary again with "mesosup app abort" and "mesosup app canary".`,
        });
      }
      const body = promoted(app, canary);
      for (const line of differenceLines(definitionFields({ ...app }), body)) say(line);
      const done = `${id} has the definition of its canary`;
      await deploy(client, { wait: true, done, say }, async () =>
        started(
          await client.call('PUT', '/v2/apps/{id}', {
            path: { id },
            query: { force, partialUpdate: false, ifVersion: app.version },
            body,
          }),
        ),
      );
    }
    await endCanary(client, canary, { wait: true, say, done: `Promoted ${canary.id} to ${id}` });
  }

  /** An earlier deployment may have been cancelled: then the canary serves alone. */
  async #checkReady(client: ApiClient, id: string): Promise<void> {
    const query = { embed: ['app.taskStats'] };
    const { app } = await client.call('GET', '/v2/apps/{id}', { path: { id }, query });
    const missing = instancesToCome(app);
    if (missing === 0) return;
    const name = id.slice(1);
    throw new MesosupError(
      `${missing} of ${count(app.instances, 'instance')} of ${id} are not ready with this definition; its canary keeps running`,
      {
        remedy: `See why with "mesosup app why ${name}". Start them with "mesosup app restart ${name}" and promote again, or end the canary with "mesosup app abort ${name}".`,
      },
    );
  }
}
