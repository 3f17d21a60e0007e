import { BaseCommand } from '../base-command.ts';
import { timeoutFlag, yesFlag } from '../install/edge/run/change-flags.ts';
import type { ChangeReport } from '../install/edge/run/command-support.ts';
import { connectFlags } from '../install/edge/run/connect-flags.ts';
import { runChange } from '../install/edge/run/run-change.ts';
import { clusterOf, specFlags } from '../install/edge/run/spec-flags.ts';

export default class Stop extends BaseCommand {
  static override summary = "Stop a cluster's services; what is installed stays.";
  static override description =
    'Containers go on without their agents, until the master gives the agents up.';
  static override examples = ['<%= config.bin %> stop', '<%= config.bin %> stop --file cluster.yaml --yes'];
  static override enableJsonFlag = true;
  static override flags = { ...specFlags, ...connectFlags, yes: yesFlag, timeout: timeoutFlag };

  async run(): Promise<ChangeReport> {
    const { flags } = await this.parse(Stop);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'stop' },
      allowAgentReplace: false,
    });
  }
}
