import { isPromoted } from '../../../apps/canary.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { canaryToEnd, endCanary, findApp } from '../../canary-of-app.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppAbort extends ApiCommand {
  static override summary = 'End the canary of an app.';
  static override description =
    'First the canary gets no new requests, then its tasks end. Cancels deployments of the canary. The app stays as it is.';
  static override examples = ['<%= config.bin %> app abort web'];
  static override args = { app: appArgument };
  static override flags = { wait: waitFlags.wait };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppAbort);
    const { client } = await this.connect(flags);
    const id = appIdOf(args.app);
    const canary = await canaryToEnd(client, id);
    const app = await findApp(client, id);
    if (app && isPromoted(app, canary)) {
      this.log(
        `${id} already has the definition of its canary. To undo that: mesosup app rollback ${id.slice(1)}`,
      );
    }
    const { wait } = flags;
    const say = (text: string) => this.log(text);
    await endCanary(client, canary, { wait, say, done: `Ended the canary ${canary.id}` });
  }
}
