import { type NodeRow, nodesOf, nodesTable } from '../../../install/node-rows.ts';
import { masterAgents } from '../../../install/operations/master-agents.ts';
import { surveyCluster } from '../../../install/operations/prepare.ts';
import { printable } from '../../../text/printable.ts';
import { BaseCommand } from '../../base-command.ts';
import { withSession } from '../../cluster-session.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { connectFlags } from '../../flags/connect-flags.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';

export default class NodeList extends BaseCommand {
  static override summary = "List a cluster's hosts with addresses, roles, health and versions.";
  static override description =
    'Asks all hosts, and changes none. "mesosup status" also shows what "mesosup install" would change.';
  static override examples = [
    '<%= config.bin %> node list',
    '<%= config.bin %> node list -o wide',
    '<%= config.bin %> node list -o name',
  ];
  static override flags = { ...specFlags, ...connectFlags, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(NodeList);
    const loaded = await clusterOf(flags);
    const rows = await withSession(this, loaded, flags, async ({ session }): Promise<NodeRow[]> => {
      const { facts, unreachable, secrets } = await surveyCluster(session);
      const agents = await masterAgents(session, facts, secrets);
      return nodesOf(session.cluster, facts, unreachable, agents);
    });
    this.log(
      await inFormat(flags.output, {
        data: rows,
        names: rows.map(({ host }) => host),
        table: (options) => nodesTable(rows, options),
      }),
    );
    for (const { host, note } of rows) {
      if (note !== '') this.logToStderr(printable(note.startsWith(host) ? note : `${host}: ${note}`));
    }
  }
}
