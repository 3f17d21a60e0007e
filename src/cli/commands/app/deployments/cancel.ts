import { Flags } from '@oclif/core';
import { ApiCommand } from '../../../api-command.ts';
import { started } from '../../../change-app.ts';
import { deploy } from '../../../deploy.ts';
import { deploymentArgument } from '../../../deployment-argument.ts';
import { waitFlags } from '../../../flags/wait-flags.ts';

export default class AppDeploymentsCancel extends ApiCommand {
  static override summary = 'Roll back a running deployment, or stop it where it is.';
  static override examples = [
    '<%= config.bin %> app deployments cancel DEPLOYMENT',
    '<%= config.bin %> app deployments cancel DEPLOYMENT --keep',
  ];
  static override args = { deployment: deploymentArgument };
  static override flags = {
    keep: Flags.boolean({ summary: 'Stop the deployment where it is, and restore nothing.' }),
    wait: waitFlags.wait,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppDeploymentsCancel);
    const { client } = await this.connect(flags);
    const path = { id: args.deployment };
    if (flags.keep) {
      await client.call('DELETE', '/v2/deployments/{id}', { path, query: { force: true } });
      this.log(`Stopped the deployment ${args.deployment}. Its apps stay as they are now.`);
      return;
    }
    const { wait } = flags;
    const done = `Rolled back the deployment ${args.deployment}`;
    await deploy(client, { wait, done, say: (text) => this.log(text) }, async () =>
      started(await client.call('DELETE', '/v2/deployments/{id}', { path })),
    );
  }
}
