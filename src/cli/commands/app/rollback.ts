import { Args } from '@oclif/core';
import { differenceLines } from '../../../apps/versions.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { started } from '../../change-app.ts';
import { deploy } from '../../deploy.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppRollback extends ApiCommand {
  static override summary = 'Return an app to an earlier version.';
  static override description = 'Shows what changes. "mesosup app history" lists the versions.';
  static override examples = [
    '<%= config.bin %> app rollback redis',
    '<%= config.bin %> app rollback redis VERSION --no-wait',
  ];
  static override args = {
    app: appArgument,
    version: Args.string({
      description: 'The version. Default: the one before the current version.',
      ignoreStdin: true,
    }),
  };
  static override flags = waitFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppRollback);
    const { client } = await this.connect(flags);
    const id = appIdOf(args.app);
    const { versions } = await client.call('GET', '/v2/apps/{id}/versions', { path: { id } });
    const [current = '', previous] = versions;
    const version = args.version ?? previous;
    if (version === undefined)
      throw new UsageError(`${id} has only one version: there is nothing to return to`);
    const [now, then] = await Promise.all(
      [current, version].map((one) =>
        client.call('GET', '/v2/apps/{id}/versions/{version}', { path: { id, version: one } }),
      ),
    );
    for (const line of differenceLines({ ...now }, { ...then })) this.log(line);
    const { wait, force } = flags;
    const done = `Returned ${id} to the version ${version}`;
    await deploy(client, { wait, apps: [id], done, say: (text) => this.log(text) }, async () =>
      started(
        await client.call('PUT', '/v2/apps/{id}', { path: { id }, query: { force }, body: { version } }),
      ),
    );
  }
}
