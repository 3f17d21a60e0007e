import { homedir } from 'node:os';
import path from 'node:path';
import { Args, Flags } from '@oclif/core';
import { readBackup, restoreAll } from '../../cluster/edge/backup.ts';
import { stateHome } from '../../cluster/edge/cluster-state.ts';
import { printableLine } from '../../text/printable.ts';
import { BaseCommand } from '../base-command.ts';
import { readFileArgument } from '../file-argument.ts';
import { readSecret } from '../secret-input.ts';

export default class Restore extends BaseCommand {
  static override summary = 'Restore on this machine what a backup of a cluster contains.';
  static override description =
    "Writes the cluster's state, and into a new directory cluster.yaml, versions.lock and the scheduler's state. Overwrites nothing, and connects to no host. Asks for the pass phrase, or reads the first line of standard input.";
  static override examples = ['<%= config.bin %> restore lab.backup'];
  static override enableJsonFlag = true;
  static override args = {
    file: Args.string({
      name: 'FILE',
      description: 'A file that "mesosup backup" has written.',
      required: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    state: Flags.string({
      summary: "New directory for the cluster's state. Default: ~/.local/state/mesosup/NAME.",
      helpValue: 'DIRECTORY',
    }),
    to: Flags.string({
      summary: "New directory for cluster.yaml and the scheduler's state. Default: ./NAME.",
      helpValue: 'DIRECTORY',
    }),
  };

  async run(): Promise<{ cluster: string; state: string; to: string; scheduler: boolean }> {
    const { args, flags } = await this.parse(Restore);
    const sealed = await readFileArgument(args.file);
    const passPhrase = await readSecret('pass phrase');
    const { cluster, made, state, spec, scheduler } = await readBackup(args.file, sealed, passPhrase);
    const directory = path.resolve(flags.state ?? path.join(stateHome(process.env, homedir()), cluster));
    const to = path.resolve(flags.to ?? cluster);
    await restoreAll([
      [to, { ...spec, ...(scheduler !== undefined && { 'scheduler.backup': scheduler }) }],
      [directory, state],
    ]);
    this.log(
      `The cluster ${cluster} as of ${printableLine(made)}:\n  ${directory}: its secrets and state\n  ${to}: ${[...Object.keys(spec), ...(scheduler === undefined ? [] : ['scheduler.backup'])].join(', ')}`,
    );
    return { cluster, state: directory, to, scheduler: scheduler !== undefined };
  }
}
