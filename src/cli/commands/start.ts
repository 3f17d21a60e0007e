import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import { allowAgentReplaceFlag, allowRemoveFlag, changeFlags } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';

export default class Start extends BaseCommand {
  static override summary = 'Start a cluster and wait until it is healthy.';
  static override description =
    'Starts ZooKeeper, masters, agents and schedulers, each as soon as its dependencies are running. Waits until a leader is elected, every agent is registered and the scheduler is subscribed, then prints the URLs.';
  static override examples = ['<%= config.bin %> start', '<%= config.bin %> start --file cluster.yaml --yes'];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    ...changeFlags,
    'allow-agent-replace': allowAgentReplaceFlag,
    'allow-remove': allowRemoveFlag,
  };

  async run(): Promise<ChangeReport> {
    const { flags } = await this.parse(Start);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'start', allowRemove: flags['allow-remove'] ?? [] },
      allowAgentReplace: flags['allow-agent-replace'],
    });
  }
}
