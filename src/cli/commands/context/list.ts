import { contextSummary, contextsTable } from '../../../context/summary.ts';
import { BaseCommand } from '../../base-command.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';
import { userContexts } from '../../user-contexts.ts';

const NONE =
  'No cluster is known. Start one with "mesosup demo --detach", or add one with "mesosup context add".';

export default class ContextList extends BaseCommand {
  static override summary = 'List the clusters that commands can use.';
  static override description =
    'Clusters that were installed from this machine and a running demo are listed without being added.';
  static override examples = ['<%= config.bin %> context list', '<%= config.bin %> context list -o json'];
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(ContextList);
    const { contexts, current } = await userContexts().list();
    const rows = contexts.map((one) => contextSummary(one, current));
    this.log(
      await inFormat(flags.output, {
        data: rows,
        names: rows.map(({ name }) => name),
        table: (options) => (rows.length > 0 ? contextsTable(rows, options) : NONE),
      }),
    );
  }
}
