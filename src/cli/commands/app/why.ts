import { printableLines } from '../../../text/printable.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument } from '../../app-argument.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';

export default class AppWhy extends ApiCommand {
  static override summary = 'Explain why an app is waiting, and which change would place it.';
  static override description =
    'For each agent: what it lacks. Then the agent that lacks least, and the single change with which the app would be placed, if there is one.';
  static override examples = ['<%= config.bin %> app why redis'];
  static override args = { app: appArgument };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppWhy);
    const { client } = await this.connect(flags);
    const path = { id: args.app };
    if (flags.output === undefined || flags.output === 'wide') {
      this.log(printableLines((await client.text('/v2/apps/{id}/explain', { path })).trimEnd()));
      return;
    }
    const explained = await client.call('GET', '/v2/apps/{id}/explain', { path });
    this.log(
      await inFormat(flags.output, {
        data: explained,
        names: [explained.appId],
        table: () => '',
      }),
    );
  }
}
