import { Args, Flags } from '@oclif/core';
import { decodeBackup, type Summary } from '../../../scheduler/backup/format.ts';
import { showPlace } from '../../../scheduler/backup/place.ts';
import { restoreBackup } from '../../../scheduler/backup/restore.ts';
import { summaryText } from '../../../scheduler/backup/summary-text.ts';
import { BaseCommand } from '../../base-command.ts';
import { displayName, readFileArgument } from '../../file-argument.ts';
import { placeFlags, placeFrom } from '../../flags/place-flags.ts';

interface Restored extends Summary {
  readonly to: string;
  /** The time of the backup. */
  readonly at: string;
  /** The store that the backup was taken from. */
  readonly from: string;
}

export default class SchedulerRestore extends BaseCommand {
  static override summary = 'Restore a backup into the store of a stopped scheduler.';
  static override description =
    'Restores either the complete backup or nothing. The store may differ from the one that was backed up: this is how a scheduler moves between its directory and ZooKeeper. When you start the scheduler again, it subscribes with the framework id of the backup and asks the master for every task. Tasks that still run continue, tasks that have ended are replaced, and tasks launched after the backup are ended. If the master no longer knows the framework (--failover_timeout has passed, or the cluster is another one), add --new-framework: the framework id and the tasks are left out, and all apps are launched again.';
  static override examples = [
    '<%= config.bin %> scheduler restore state.backup',
    '<%= config.bin %> scheduler restore state.backup --data-dir /var/lib/mesosup/scheduler --force',
    '<%= config.bin %> scheduler restore state.backup --zk file:///etc/mesosup/scheduler/zk --new-framework --json',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      name: 'FILE',
      description: 'The backup file; - reads standard input.',
      required: true,
    }),
  };
  static override flags = {
    ...placeFlags,
    force: Flags.boolean({ default: false, summary: 'Replace a state that exists in the store.' }),
    'new-framework': Flags.boolean({
      default: false,
      summary: 'Leave out framework id and tasks, so that all apps are launched again.',
    }),
  };

  async run(): Promise<Restored> {
    const { args, flags } = await this.parse(SchedulerRestore);
    const place = placeFrom(flags);
    const backup = decodeBackup(await readFileArgument(args.file), displayName(args.file));
    this.progress(`writing ${summaryText(backup.head)} to ${showPlace(place)}`);
    const summary = await restoreBackup(backup, place, {
      force: flags.force,
      newFramework: flags['new-framework'],
      warn: (message) => this.logToStderr(message),
    });
    const { at, from } = backup.head;
    this.log(
      `${showPlace(place)} now holds ${summaryText(summary)}, restored from the backup of ${from} at ${at}. Start the scheduler now.`,
    );
    return { to: showPlace(place), at, from, ...summary };
  }
}
