import { agentsTable, byHost } from '../../apps/agent-rows.ts';
import { EXIT } from '../../errors/mesosup-error.ts';
import { ApiCommand } from '../api-command.ts';
import { inFormat, outputFlag } from '../flags/output-flag.ts';

export default class Agents extends ApiCommand {
  static override summary = 'List the agents with what is used and offered.';
  static override description =
    'The scheduler asks the master, which may not know an agent with tasks: it is unknown then. Exits with 1 if no master can be asked. "mesosup app why" says what agents lack for an app.';
  static override examples = ['<%= config.bin %> agents', '<%= config.bin %> agents -o wide'];
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Agents);
    const { client } = await this.connect(flags);
    const { agents: listed, problem } = await client.call('GET', '/v2/agents');
    const agents = byHost(listed);
    this.log(
      await inFormat(flags.output, {
        data: agents,
        names: agents.map(({ host }) => host),
        table: (options) => agentsTable(agents, options),
      }),
    );
    if (problem !== undefined) {
      this.logToStderr(problem);
      process.exitCode = EXIT.failed;
    }
  }
}
