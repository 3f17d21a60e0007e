import { Args } from '@oclif/core';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { count } from '../../../text/count.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { changeApp } from '../../change-app.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

export default class AppScale extends ApiCommand {
  static override summary = 'Change the number of instances of an app.';
  static override examples = ['<%= config.bin %> app scale web 3'];
  static override args = {
    app: appArgument,
    instances: Args.string({
      description: 'The number of instances.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = waitFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppScale);
    const id = appIdOf(args.app);
    const instances = numberOf(args.instances);
    const done = `Scaled ${id} to ${count(instances, 'instance')}`;
    await changeApp(this, await this.connect(flags), { ...flags, id, done }, { instances });
  }
}

function numberOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`INSTANCES is "${text}": expected a whole number, for example 3`);
}
