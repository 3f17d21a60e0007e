import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import { confirmedByName } from '../confirm.ts';
import { timeoutFlag, yesFlag } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';

export default class Uninstall extends BaseCommand {
  static override summary = 'Take a cluster off its hosts, and put back what was there before.';
  static override description =
    'Asks for the name of the cluster. Its tasks end. Data, such as the state of Mesos and ZooKeeper, stays without --purge.';
  static override examples = ['<%= config.bin %> uninstall', '<%= config.bin %> uninstall --purge --yes'];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    purge: Flags.boolean({
      summary: 'Take away the data and the secrets, too.',
      helpGroup: 'CHANGE',
    }),
    yes: yesFlag,
    timeout: timeoutFlag,
  };

  async run(): Promise<ChangeReport> {
    const { flags } = await this.parse(Uninstall);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'uninstall', purge: flags.purge },
      allowAgentReplace: true,
      confirm: ({ cluster }, screen) => confirmedByName(cluster.name, screen),
      afterwards: async ({ state }) => {
        if (flags.purge) await state.forget();
      },
    });
  }
}
