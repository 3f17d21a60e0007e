import { tasksTable } from '../../../apps/app-rows.ts';
import { ApiCommand } from '../../api-command.ts';
import { optionalAppArgument } from '../../app-argument.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';
import { tasksOf } from '../../tasks-of.ts';

export default class AppTasks extends ApiCommand {
  static override summary = 'List the tasks of an app, or of all apps.';
  static override examples = ['<%= config.bin %> app tasks web', '<%= config.bin %> app tasks -o wide'];
  static override args = { app: optionalAppArgument };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppTasks);
    const { client } = await this.connect(flags);
    const tasks = await tasksOf(client, args.app);
    const text = await inFormat(flags.output, {
      data: tasks,
      names: tasks.map(({ id }) => id),
      table: (options) => tasksTable(tasks, Date.now(), options),
    });
    if (text !== '') this.log(text);
  }
}
