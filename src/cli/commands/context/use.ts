import { Args } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { userContexts } from '../../user-contexts.ts';

export default class ContextUse extends BaseCommand {
  static override summary = 'Choose the cluster that commands use from now on.';
  static override examples = ['<%= config.bin %> context use demo'];
  static override args = {
    name: Args.string({
      name: 'CONTEXT',
      description: 'The context, one of "mesosup context list".',
      required: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(ContextUse);
    const contexts = userContexts();
    const { name, urls } = await contexts.choose(args.name, 'CONTEXT');
    await contexts.use(name);
    this.log(`Commands now use ${name} (${urls.join(' ')})`);
  }
}
