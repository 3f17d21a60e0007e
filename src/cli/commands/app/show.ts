import { canaryIdOf } from '../../../apps/canary-labels.ts';
import { describeApp } from '../../../apps/describe-app.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument } from '../../app-argument.ts';
import { findApp } from '../../canary-of-app.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';

export default class AppShow extends ApiCommand {
  static override summary = 'Show an app: its definition, health, tasks and last failure.';
  static override description =
    'Values of environment variables are left out, since they may be secret; -o json shows them.';
  static override examples = ['<%= config.bin %> app show web', '<%= config.bin %> app show web -o yaml'];
  static override args = { app: appArgument };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppShow);
    const { client } = await this.connect(flags);
    const { app } = await client.call('GET', '/v2/apps/{id}', { path: { id: args.app } });
    const isTable = flags.output === undefined || flags.output === 'wide';
    const canary = isTable ? await findApp(client, canaryIdOf(app.id)) : undefined;
    this.log(
      await inFormat(flags.output, {
        data: app,
        names: [app.id],
        table: (options) => describeApp(app, Date.now(), options, canary),
      }),
    );
  }
}
