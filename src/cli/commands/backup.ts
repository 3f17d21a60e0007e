import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Args, Flags } from '@oclif/core';
import { filesIn, writeBackup } from '../../cluster/edge/backup.ts';
import type { LoadedCluster } from '../../cluster/edge/load.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import { surveyCluster } from '../../install/operations/prepare.ts';
import { schedulerState } from '../../install/operations/scheduler-state.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';
import { readNewSecret } from '../secret-input.ts';

/** Beside the cluster file. */
const LOCK_FILE = 'versions.lock';

export default class Backup extends BaseCommand {
  static override summary =
    "Save what this machine knows about a cluster, and the scheduler's state, encrypted.";
  static override description =
    'Contains the secrets of the cluster, cluster.yaml, versions.lock if there is one, and the apps. Asks for a pass phrase, or reads the first line of standard input. Changes nothing.';
  static override examples = [
    '<%= config.bin %> backup lab.backup',
    '<%= config.bin %> backup lab.backup < pass-phrase.txt',
  ];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({ name: 'FILE', description: 'The new file.', required: true, ignoreStdin: true }),
  };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    scheduler: Flags.boolean({
      default: true,
      allowNo: true,
      summary: "Also save the scheduler's state, from one of its hosts. Default: --scheduler.",
    }),
  };

  async run(): Promise<{ file: string; cluster: string; bytes: number; scheduler: boolean }> {
    const { args, flags } = await this.parse(Backup);
    const loaded = await clusterOf(flags);
    const { state, cluster } = loaded;
    if ((await state.secrets()) === undefined) {
      throw new UsageError(
        `nothing is known about ${cluster.name} on this machine: ${state.directory} has no secrets`,
        {
          remedy: 'Run this on the machine that installed the cluster, or name the directory with --state.',
        },
      );
    }
    const passPhrase = await readNewSecret('pass phrase');
    const scheduler = flags.scheduler
      ? await withSession(this, loaded, flags, async ({ session }) =>
          schedulerState(session, (await surveyCluster(session)).facts),
        )
      : undefined;
    const backup = {
      cluster: cluster.name,
      made: new Date().toISOString(),
      state: await filesIn(state.directory, state.fileNames),
      spec: await specFiles(loaded),
      ...(scheduler !== undefined && { scheduler: Buffer.from(scheduler).toString('base64') }),
    };
    const bytes = await writeBackup(path.resolve(args.file), backup, passPhrase);
    const without = scheduler === undefined ? ", without a scheduler's state" : '';
    this.log(`${args.file}: the cluster ${cluster.name}${without}, ${Math.ceil(bytes / 1024)} kB`);
    return { file: args.file, cluster: cluster.name, bytes, scheduler: scheduler !== undefined };
  }
}

async function specFiles({ file }: LoadedCluster): Promise<Record<string, string>> {
  if (!file) return {};
  const lock = await readFile(path.join(path.dirname(file.path), LOCK_FILE)).catch(() => undefined);
  return {
    'cluster.yaml': Buffer.from(file.text).toString('base64'),
    ...(lock && { [LOCK_FILE]: lock.toString('base64') }),
  };
}
