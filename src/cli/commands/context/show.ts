import { Args } from '@oclif/core';
import { contextSummary, describeContext } from '../../../context/summary.ts';
import { BaseCommand } from '../../base-command.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';
import { userContexts } from '../../user-contexts.ts';

export default class ContextShow extends BaseCommand {
  static override summary = 'Show the cluster that commands use, or another one, without its secrets.';
  static override examples = ['<%= config.bin %> context show', '<%= config.bin %> context show demo'];
  static override args = {
    name: Args.string({
      name: 'CONTEXT',
      description: 'The context. Default: the one that commands use.',
      ignoreStdin: true,
    }),
  };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ContextShow);
    const contexts = userContexts();
    const { current } = await contexts.list();
    const summary = contextSummary(await contexts.choose(args.name, 'CONTEXT'), current);
    this.log(
      await inFormat(flags.output, {
        data: summary,
        names: [summary.name],
        table: () => describeContext(summary),
      }),
    );
  }
}
