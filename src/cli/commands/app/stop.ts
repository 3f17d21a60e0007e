import { count } from '../../../text/count.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { started } from '../../change-app.ts';
import { deploy } from '../../deploy.ts';
import { confirmFlag, isConfirmed } from '../../flags/confirm-flag.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppStop extends ApiCommand {
  static override summary = 'Remove an app: end its tasks, and forget its definition and versions.';
  static override description = 'Asks for confirmation. "mesosup app suspend" keeps the definition.';
  static override examples = ['<%= config.bin %> app stop web --yes'];
  static override args = { app: appArgument };
  static override flags = { yes: confirmFlag, ...waitFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppStop);
    const { client } = await this.connect(flags);
    const id = appIdOf(args.app);
    const { app } = await client.call('GET', '/v2/apps/{id}', { path: { id } });
    const tasks = count(app.tasks?.length ?? 0, 'task');
    if (!(await isConfirmed(`Remove ${id} and end ${tasks}?`, flags.yes))) {
      this.log('Nothing was changed.');
      return;
    }
    const { wait, force } = flags;
    const options = { wait, apps: [id], removes: true, done: `Removed ${id}` };
    await deploy(client, { ...options, say: (text) => this.log(text) }, async () =>
      started(await client.call('DELETE', '/v2/apps/{id}', { path: { id }, query: { force } })),
    );
  }
}
