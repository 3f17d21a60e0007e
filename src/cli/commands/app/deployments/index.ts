import { deploymentsTable } from '../../../../apps/deployment-rows.ts';
import { ApiCommand } from '../../../api-command.ts';
import { inFormat, outputFlag } from '../../../flags/output-flag.ts';

export default class AppDeployments extends ApiCommand {
  static override summary = 'List the running deployments.';
  static override examples = [
    '<%= config.bin %> app deployments',
    '<%= config.bin %> app deployments -o name',
  ];
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(AppDeployments);
    const { client } = await this.connect(flags);
    const running = await client.call('GET', '/v2/deployments');
    const text = await inFormat(flags.output, {
      data: running,
      names: running.map(({ id }) => id),
      table: (options) =>
        running.length > 0 ? deploymentsTable(running, Date.now(), options) : 'No deployment is running.',
    });
    if (text !== '') this.log(text);
  }
}
