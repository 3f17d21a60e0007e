import { BaseCommand } from '../../base-command.ts';
import { runChange } from '../../change-command.ts';
import type { ChangeReport } from '../../change-report.ts';
import { changeFlags } from '../../flags/change-flags.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { hostArgument } from '../../host-argument.ts';

export default class NodeUndrain extends BaseCommand {
  static override summary = 'Put a drained agent back into service: it gets tasks again.';
  static override description =
    'Waits until a drain has ended all executors, since an agent that is reactivated before would drop new tasks.';
  static override examples = ['<%= config.bin %> node undrain h3'];
  static override enableJsonFlag = true;
  static override args = { host: hostArgument };
  static override flags = {
    ...specFlags,
    ...connectFlags,
    ...changeFlags,
  };

  async run(): Promise<ChangeReport> {
    const { args, flags } = await this.parse(NodeUndrain);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'undrain', host: args.host },
      allowAgentReplace: false,
    });
  }
}
