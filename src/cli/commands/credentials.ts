import { curlConfig } from '../../context/context.ts';
import { ApiCommand } from '../api-command.ts';

export default class Credentials extends ApiCommand {
  static override summary = "Print the credentials for a cluster's API, as curl reads them.";
  static override description =
    'Prints lines for the configuration of curl: the user and password or the token, and the CA file. They are secret. Pass them on by standard input, as in the example, so that they appear in no argument and no history. "mesosup api" needs none of this.';
  static override examples = ['<%= config.bin %> credentials'];

  async run(): Promise<void> {
    const { flags } = await this.parse(Credentials);
    const { context } = await this.connect(flags);
    this.log(curlConfig(context));
  }
}
