import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import { changeFlags } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';

export default class Stop extends BaseCommand {
  static override summary = "Stop a cluster's services; everything stays installed.";
  static override description =
    'Containers keep running without their agents until the master removes the agents.';
  static override examples = ['<%= config.bin %> stop', '<%= config.bin %> stop --file cluster.yaml --yes'];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    ...changeFlags,
  };

  async run(): Promise<ChangeReport> {
    const { flags } = await this.parse(Stop);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'stop' },
      allowAgentReplace: false,
    });
  }
}
