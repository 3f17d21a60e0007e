import { Flags } from '@oclif/core';
import { BaseCommand } from '../../base-command.ts';
import { runChange } from '../../change-command.ts';
import type { ChangeReport } from '../../change-report.ts';
import { changeFlags } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { hostArgument } from '../../host-argument.ts';

export default class NodeDrain extends BaseCommand {
  static override summary = 'Take the agent of a host out of service, without failed requests.';
  static override description =
    'The agent gets no new tasks. The scheduler starts replacements on other agents where there is room, and ends the old tasks by the rules of their apps: drainSeconds and upgradeStrategy. The remaining tasks then end with the agent. Returns when the agent runs nothing. An interrupted drain continues on the host; run the command again to follow it.';
  static override examples = [
    '<%= config.bin %> node drain h3',
    '<%= config.bin %> node drain h3 --yes --move-timeout 600',
  ];
  static override enableJsonFlag = true;
  static override args = { host: hostArgument };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    ...changeFlags,
    'move-timeout': Flags.integer({
      summary:
        'Time without progress after which tasks that no other agent has room for end with the agent. Default: 60.',
      helpValue: 'SECONDS',
      min: 1,
      helpGroup: 'CHANGE',
    }),
  };

  async run(): Promise<ChangeReport> {
    const { args, flags } = await this.parse(NodeDrain);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'drain', host: args.host, moveSeconds: flags['move-timeout'] },
      allowAgentReplace: false,
    });
  }
}
