import { Args, Flags } from '@oclif/core';
import { decodeBackup, type Summary } from '../../../scheduler/backup/format.ts';
import { showPlace } from '../../../scheduler/backup/place.ts';
import { restoreBackup } from '../../../scheduler/backup/restore.ts';
import { summaryText } from '../../../scheduler/backup/summary-text.ts';
import { BaseCommand } from '../../base-command.ts';
import { contentOf, nameOf } from '../../file-argument.ts';
import { placeFlags, placeFrom } from '../../flags/place-flags.ts';

interface Restored extends Summary {
  readonly to: string;
  /** When the backup was taken, and of what. */
  readonly at: string;
  readonly from: string;
}

export default class SchedulerRestore extends BaseCommand {
  static override summary = "Put a backup into the store of a scheduler that doesn't run.";
  static override description =
    "All of it or nothing. The store may be another than the one the backup was taken of: so a scheduler moves between its directory and ZooKeeper. Started again, the scheduler subscribes with the framework id of the backup and asks the master for every task: those that still run go on, those that have ended are replaced, and those launched since the backup are ended. Where the master doesn't know the framework any more (--failover_timeout has passed, or it is another cluster), --new-framework leaves out its id and tasks, and all apps are launched anew.";
  static override examples = [
    '<%= config.bin %> scheduler restore state.backup',
    '<%= config.bin %> scheduler restore state.backup --data-dir /var/lib/mesosup/scheduler --force',
    '<%= config.bin %> scheduler restore state.backup --zk file:///etc/mesosup/scheduler/zk --new-framework --json',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({ name: 'FILE', description: 'The backup; - for the standard input.', required: true }),
  };
  static override flags = {
    ...placeFlags,
    force: Flags.boolean({ default: false, summary: 'Put it in the place of a state that is there.' }),
    'new-framework': Flags.boolean({
      default: false,
      summary: 'Without framework id and tasks: apps are launched anew.',
    }),
  };

  async run(): Promise<Restored> {
    const { args, flags } = await this.parse(SchedulerRestore);
    const place = placeFrom(flags);
    const backup = decodeBackup(await contentOf(args.file), nameOf(args.file));
    this.progress(`writing ${summaryText(backup.head)} to ${showPlace(place)}`);
    const summary = await restoreBackup(backup, place, {
      force: flags.force,
      newFramework: flags['new-framework'],
      warn: (message) => this.logToStderr(message),
    });
    const { at, from } = backup.head;
    this.log(
      `${showPlace(place)} holds ${summaryText(summary)}, as ${from} was at ${at}. Start the scheduler now.`,
    );
    return { to: showPlace(place), at, from, ...summary };
  }
}
