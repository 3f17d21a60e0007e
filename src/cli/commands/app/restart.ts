import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { started } from '../../change-app.ts';
import { deploy } from '../../deploy.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppRestart extends ApiCommand {
  static override summary = 'Replace all tasks of an app by new ones.';
  static override description = "Follows the app's upgradeStrategy, like a change of its definition.";
  static override examples = ['<%= config.bin %> app restart web'];
  static override args = { app: appArgument };
  static override flags = waitFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppRestart);
    const { client } = await this.connect(flags);
    const id = appIdOf(args.app);
    const { wait, force } = flags;
    await deploy(
      client,
      { wait, apps: [id], done: `Restarted ${id}`, say: (text) => this.log(text) },
      async () =>
        started(await client.call('POST', '/v2/apps/{id}/restart', { path: { id }, query: { force } })),
    );
  }
}
