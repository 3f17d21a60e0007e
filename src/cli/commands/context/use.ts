import { homedir } from 'node:os';
import { Args } from '@oclif/core';
import { Contexts } from '../../../context/edge/contexts.ts';
import { BaseCommand } from '../../base-command.ts';

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
    const contexts = new Contexts({ environment: process.env, home: homedir() });
    const { name, urls } = await contexts.choose(args.name);
    await contexts.use(name);
    this.log(`Commands now use ${name} (${urls.join(' ')})`);
  }
}
