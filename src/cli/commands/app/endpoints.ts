import { addressOf, endpointsOf, endpointsTable } from '../../../apps/app-rows.ts';
import { ApiCommand } from '../../api-command.ts';
import { optionalAppArgument } from '../../app-argument.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';
import { tasksOf } from '../../tasks-of.ts';

export default class AppEndpoints extends ApiCommand {
  static override summary = 'List the addresses of an app, or of all apps.';
  static override description =
    'A line for each port of each task that runs and is not unhealthy. -o name prints only HOST:PORT.';
  static override examples = [
    '<%= config.bin %> app endpoints web',
    '<%= config.bin %> app endpoints web -o name',
  ];
  static override args = { app: optionalAppArgument };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppEndpoints);
    const { client } = await this.connect(flags);
    const endpoints = endpointsOf(await tasksOf(client, args.app));
    const text = await inFormat(flags.output, {
      data: endpoints,
      names: endpoints.map(addressOf),
      table: (options) => endpointsTable(endpoints, options),
    });
    if (text !== '') this.log(text);
  }
}
