import { Flags } from '@oclif/core';
import { historyOf, historyText } from '../../../apps/versions.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument } from '../../app-argument.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';

export default class AppHistory extends ApiCommand {
  static override summary = 'Show the versions of an app, newest first, with their differences.';
  static override examples = [
    '<%= config.bin %> app history redis',
    '<%= config.bin %> app history redis -n 3',
  ];
  static override args = { app: appArgument };
  static override flags = {
    limit: Flags.integer({ char: 'n', default: 10, min: 1, summary: 'Number of versions.', helpValue: 'N' }),
    output: outputFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppHistory);
    const { client } = await this.connect(flags);
    const { versions } = await client.call('GET', '/v2/apps/{id}/versions', { path: { id: args.app } });
    // One more, to compare the last one with.
    const wanted = versions.slice(0, flags.limit + 1);
    const definitions = await Promise.all(
      wanted.map((version) =>
        client.call('GET', '/v2/apps/{id}/versions/{version}', { path: { id: args.app, version } }),
      ),
    );
    const entries = historyOf(definitions, versions.length <= flags.limit);
    this.log(
      await inFormat(flags.output, {
        data: entries,
        names: entries.map(({ version }) => version),
        table: () => historyText(entries),
      }),
    );
  }
}
