import { Args, Flags } from '@oclif/core';
import type { LoadedCluster } from '../../cluster/edge/load.ts';
import { UsageError } from '../../errors/mesosup-error.ts';
import type { Plan } from '../../install/plan.ts';
import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import {
  allowAgentReplaceFlag,
  allowRemoveFlag,
  bundleFlag,
  changeFlags,
  updateFlag,
} from '../flags/change-flags.ts';
import { clusterOf, hostOptions, specFlags, stateOf } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';
import { nextCommand } from '../next-command.ts';

export default class Install extends BaseCommand {
  static override summary = 'Install Mesos, ZooKeeper, Docker and the scheduler on the hosts of a cluster.';
  static override description =
    'Shows the changes and asks for confirmation. A second run changes only what differs, and does nothing if nothing differs. A failure on one host does not stop the other hosts. A host finishes the changes that it has started even if the connection is lost; the next run resumes from there. A new host gets the same package versions as the hosts before it.';
  static override examples = [
    '<%= config.bin %> install --hosts h1,h2,h3 --start',
    '<%= config.bin %> install --file cluster.yaml --yes',
    '<%= config.bin %> install --local --start',
    '<%= config.bin %> install plan.json',
    '<%= config.bin %> install --bundle bundle.tar',
  ];
  static override enableJsonFlag = true;
  static override args = {
    plan: Args.string({
      ignoreStdin: true,
      description: 'A plan saved by "mesosup plan --out". Exactly this plan is applied.',
    }),
  };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    start: Flags.boolean({
      summary: 'Also start the cluster and wait until it is healthy.',
      helpGroup: 'CHANGE',
    }),
    ...changeFlags,
    'allow-agent-replace': allowAgentReplaceFlag,
    'allow-remove': allowRemoveFlag,
    update: updateFlag,
    bundle: bundleFlag,
  };

  async run(): Promise<ChangeReport> {
    const { args, flags } = await this.parse(Install);
    // The forms of stored plans are loaded only for one.
    const saved =
      args.plan === undefined
        ? undefined
        : await (await import('../../install/operations/plan-file.ts')).readPlan(args.plan);
    const selectsCluster =
      flags.file !== undefined ||
      flags.start ||
      flags.update ||
      flags.bundle !== undefined ||
      flags['allow-remove'] !== undefined;
    if (saved && (selectsCluster || Object.keys(hostOptions(flags)).length > 0)) {
      throw new UsageError(
        'a saved plan already contains its hosts and options: leave out the hosts, --file, --start, --update, --bundle and --allow-remove',
      );
    }
    const loaded: LoadedCluster = saved
      ? { cluster: saved.cluster, state: stateOf(saved.cluster.name, flags.state) }
      : await clusterOf(flags);
    const plan: Plan | undefined = saved?.plan;
    const report = await runChange(this, loaded, flags, {
      intent: {
        command: 'install',
        start: flags.start,
        allowRemove: flags['allow-remove'] ?? [],
        update: flags.update,
        bundle: flags.bundle,
      },
      allowAgentReplace: flags['allow-agent-replace'],
      ...(plan && { saved: plan }),
    });
    // Of a cluster that runs, the change was waited for, and its access is known.
    const isReady = report.changes > 0 && report.access === undefined && process.exitCode === undefined;
    if (isReady)
      this.log(`Installed, not started. Next: ${nextCommand(this.config.bin, 'start', this.argv)}`);
    return report;
  }
}
