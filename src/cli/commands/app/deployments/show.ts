import { describeDeployment } from '../../../../apps/deployment-rows.ts';
import { ApiCommand } from '../../../api-command.ts';
import { deploymentArgument } from '../../../deployment-argument.ts';
import { inFormat, outputFlag } from '../../../flags/output-flag.ts';

export default class AppDeploymentsShow extends ApiCommand {
  static override summary = 'Show the steps of a running deployment.';
  static override examples = ['<%= config.bin %> app deployments show DEPLOYMENT'];
  static override args = { deployment: deploymentArgument };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppDeploymentsShow);
    const { client } = await this.connect(flags);
    const path = { id: args.deployment };
    const deployment = await client.call('GET', '/v2/deployments/{id}', { path });
    this.log(
      await inFormat(flags.output, {
        data: deployment,
        names: [deployment.id],
        table: () => describeDeployment(deployment),
      }),
    );
  }
}
