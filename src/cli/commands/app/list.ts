import { Args } from '@oclif/core';
import { APP_FIELDS } from '../../../apps/app-fields.ts';
import { appsTable } from '../../../apps/app-rows.ts';
import { ApiCommand } from '../../api-command.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';

export default class AppList extends ApiCommand {
  static override summary = 'List the apps.';
  static override examples = [
    '<%= config.bin %> app list',
    '<%= config.bin %> app list shop -o wide',
    '<%= config.bin %> app list -o name',
  ];
  static override args = {
    id: Args.string({ description: 'Only apps whose id contains this text.', ignoreStdin: true }),
  };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppList);
    const { client } = await this.connect(flags);
    const isFull = flags.output === 'json' || flags.output === 'yaml';
    const { apps } = await client.call('GET', '/v2/apps', {
      query: { id: args.id, fields: isFull ? undefined : APP_FIELDS.join() },
    });
    const text = await inFormat(flags.output, {
      data: apps,
      names: apps.map(({ id }) => id),
      table: (options) => appsTable(apps, options),
    });
    if (text !== '') this.log(text);
  }
}
