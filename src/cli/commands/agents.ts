import { agentsOf, agentsTable } from '../../apps/agent-rows.ts';
import type { ApiClient } from '../../client/api-client.ts';
import type { Masters } from '../../context/context.ts';
import { askMaster } from '../../context/edge/ask-master.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { ApiCommand } from '../api-command.ts';
import { inFormat, outputFlag } from '../flags/output-flag.ts';

export default class Agents extends ApiCommand {
  static override summary = 'List the agents with what is used and offered.';
  static override description =
    'Asks the master, so the machine must reach it. "mesosup app why" says what agents lack for an app.';
  static override examples = ['<%= config.bin %> agents', '<%= config.bin %> agents -o wide'];
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(Agents);
    const { client, context } = await this.connect(flags);
    const [{ tasks }, masters] = await Promise.all([
      client.call('GET', '/v2/tasks'),
      context.masters ?? mastersOf(client),
    ]);
    const agents = agentsOf(await askMaster(masters, '/slaves'), tasks);
    if (!agents) throw new MesosupError('the master does not answer like a master of Mesos');
    this.log(
      await inFormat(flags.output, {
        data: agents,
        names: agents.map(({ host }) => host),
        table: (options) => agentsTable(agents, options),
      }),
    );
  }
}

/** The masters that the scheduler was started with. @throws MesosupError if it finds them with ZooKeeper */
async function mastersOf(client: ApiClient): Promise<Masters> {
  const { marathon_config } = await client.call('GET', '/v2/info');
  const { master } = marathon_config;
  if (!/^[\w.:,[\]-]+$/.test(master)) {
    throw new MesosupError('the addresses of the masters are not known here', {
      remedy: 'Use a context of a cluster that was installed from this machine.',
    });
  }
  return { urls: master.split(',').map((address) => `http://${address}`) };
}
