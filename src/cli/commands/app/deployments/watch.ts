import { ApiCommand } from '../../../api-command.ts';
import { watchDeployment } from '../../../deploy.ts';
import { deploymentArgument } from '../../../deployment-argument.ts';

export default class AppDeploymentsWatch extends ApiCommand {
  static override summary = 'Wait for the end of a running deployment, and show its progress.';
  static override description = 'Exits with 1 when the deployment fails. Ctrl-C stops only the waiting.';
  static override examples = ['<%= config.bin %> app deployments watch DEPLOYMENT'];
  static override args = { deployment: deploymentArgument };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppDeploymentsWatch);
    const { client } = await this.connect(flags);
    await watchDeployment(client, args.deployment);
    this.log(`The deployment ${args.deployment} has succeeded.`);
  }
}
