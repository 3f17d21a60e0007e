import { certificateWarnings } from '../../cluster/certificates.ts';
import { EXIT } from '../../errors/mesosup-error.ts';
import { describePayload } from '../../install/edge/payload.ts';
import { driftOf, surveyCluster } from '../../install/operations/prepare.ts';
import { recheckHealth } from '../../install/operations/recheck-health.ts';
import { type ClusterStatus, renderStatus, statusOf } from '../../install/status.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';

export default class Status extends BaseCommand {
  static override summary = "Show a cluster's hosts, roles, versions, health and drift.";
  static override description =
    'Drift is the number of changes that "mesosup install" would make. Exits with 1 when the cluster is not healthy.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status --json'];
  static override enableJsonFlag = true;
  static override flags = { ...specFlags, ...connectFlags };

  async run(): Promise<ClusterStatus> {
    const { flags } = await this.parse(Status);
    const loaded = await clusterOf(flags);
    return withSession(this, loaded, flags, async ({ session, program }) => {
      const looked = await surveyCluster(session);
      const plan = driftOf(session, await describePayload(program.root), looked);
      const { facts, unreachable } = await recheckHealth(session, looked, looked.secrets);
      const certificates = await session.state.certificates();
      const warnings = certificates ? certificateWarnings(certificates, Date.now()) : [];
      const status = statusOf(session.cluster, facts, unreachable, plan, warnings);
      this.log(renderStatus(status));
      if (!status.healthy) process.exitCode = EXIT.failed;
      return status;
    });
  }
}
