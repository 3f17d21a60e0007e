import { Flags } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { runChange } from '../change-command.ts';
import type { ChangeReport } from '../change-report.ts';
import { confirmByName } from '../confirm.ts';
import { changeFlags } from '../flags/change-flags.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';

export default class Uninstall extends BaseCommand {
  static override summary = 'Remove a cluster from its hosts and restore their previous state.';
  static override description =
    'Asks for the name of the cluster first. All tasks of the cluster end. Data, such as the state of Mesos and ZooKeeper, is kept unless you add --purge.';
  static override examples = ['<%= config.bin %> uninstall', '<%= config.bin %> uninstall --purge --yes'];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    purge: Flags.boolean({
      summary: 'Remove the data and the secrets too.',
      helpGroup: 'CHANGE',
    }),
    ...changeFlags,
  };

  async run(): Promise<ChangeReport> {
    const { flags } = await this.parse(Uninstall);
    return runChange(this, await clusterOf(flags), flags, {
      intent: { command: 'uninstall', purge: flags.purge },
      allowAgentReplace: true,
      confirm: ({ cluster }, screen) => confirmByName(cluster.name, screen),
      afterwards: async ({ state }) => {
        if (flags.purge) await state.forget();
      },
    });
  }
}
