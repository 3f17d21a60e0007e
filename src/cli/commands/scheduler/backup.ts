import { Args } from '@oclif/core';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { encodeBackup, type Summary } from '../../../scheduler/backup/format.ts';
import { showPlace } from '../../../scheduler/backup/place.ts';
import { summaryText } from '../../../scheduler/backup/summary-text.ts';
import { takeBackup, writeBackup } from '../../../scheduler/backup/take.ts';
import { BaseCommand } from '../../base-command.ts';
import { placeFlags, placeFrom } from '../../flags/place-flags.ts';

interface BackupTaken extends Summary {
  readonly file: string;
  readonly at: string;
  readonly from: string;
}

export default class SchedulerBackup extends BaseCommand {
  static override summary = "Save a scheduler's apps, versions, groups, tasks and deployments to a file.";
  static override description =
    "Reads a consistent state from the scheduler's store, whether the scheduler runs or not, and changes nothing. On an installed host, no flag is needed. The file is text with a checksum. Only its owner may read it, because apps may contain secrets. FILE - writes to standard output.";
  static override examples = [
    '<%= config.bin %> scheduler backup',
    '<%= config.bin %> scheduler backup state.backup --data-dir /var/lib/mesosup/scheduler',
    '<%= config.bin %> scheduler backup state.backup --zk file:///etc/mesosup/scheduler/zk --json',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      name: 'FILE',
      description: 'The file to write. Default: scheduler-TIME.backup.',
    }),
  };
  static override flags = placeFlags;

  async run(): Promise<BackupTaken> {
    const { args, flags } = await this.parse(SchedulerBackup);
    const at = new Date().toISOString();
    const file = args.file ?? `scheduler-${at.replace(/\.\d+/, '').replaceAll(':', '-')}.backup`;
    if (file === '-' && this.jsonEnabled()) {
      throw new UsageError('--json and FILE - would both write to standard output: name a file');
    }
    const place = placeFrom(flags);
    this.progress(`reading the state in ${showPlace(place)}`);
    const backup = await takeBackup(place, at);
    const { format: _format, version: _version, stateVersion: _state, ...about } = backup.head;
    if (file === '-') {
      for (const piece of encodeBackup(backup)) process.stdout.write(piece);
    } else {
      await writeBackup(backup, file);
      this.log(`${file}: ${summaryText(about)}, from ${about.from}`);
    }
    return { file, ...about };
  }
}
