import { Args } from '@oclif/core';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { BaseCommand } from '../../base-command.ts';
import { userContexts } from '../../user-contexts.ts';

const REMEDIES: Readonly<Record<string, string>> = {
  installed: 'It is known because it was installed from this machine. Remove it with "mesosup uninstall".',
  demo: 'It is known while the demo runs. End it with "mesosup demo down".',
};

export default class ContextRemove extends BaseCommand {
  static override summary = 'Remove a cluster that was added, with its password or token.';
  static override description = 'Changes nothing in the cluster itself.';
  static override examples = ['<%= config.bin %> context remove local'];
  static override args = {
    name: Args.string({
      name: 'CONTEXT',
      description: 'The name of the context.',
      required: true,
      ignoreStdin: true,
    }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(ContextRemove);
    const contexts = userContexts();
    if (await contexts.remove(args.name)) {
      this.log(`Removed ${args.name}.`);
      return;
    }
    const { name, source } = await contexts.choose(args.name, 'CONTEXT');
    throw new UsageError(`"${name}" was not added`, { remedy: REMEDIES[source] });
  }
}
