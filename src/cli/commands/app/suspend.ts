import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { changeApp } from '../../change-app.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppSuspend extends ApiCommand {
  static override summary = 'End all tasks of an app, and keep its definition.';
  static override description = 'Sets the number of instances to 0. "mesosup app scale" starts it again.';
  static override examples = ['<%= config.bin %> app suspend web'];
  static override args = { app: appArgument };
  static override flags = waitFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppSuspend);
    const id = appIdOf(args.app);
    const done = `Suspended ${id}`;
    await changeApp(this, await this.connect(flags), { ...flags, id, done }, { instances: 0 });
  }
}
