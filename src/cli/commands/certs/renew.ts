import { BaseCommand } from '../../base-command.ts';
import { type CertificateReport, changeCertificates } from '../../certificate-report.ts';
import { planRenewal } from '../../change-certificates.ts';
import { clusterOf } from '../../flags/cluster-flags.ts';
import { phaseFlags } from '../../flags/phase-flags.ts';

export default class CertsRenew extends BaseCommand {
  static override summary = 'Replace all certificates of a cluster with new ones of the same authority.';
  static override description =
    '"mesosup install" does this by itself for certificates that end within 30 days. Masters restart one by one, and agents a few at a time; containers keep running. Programs of mesosup read their certificates again without a restart.';
  static override examples = [
    '<%= config.bin %> certs renew --dry-run',
    '<%= config.bin %> certs renew --yes',
  ];
  static override enableJsonFlag = true;
  static override flags = phaseFlags;

  async run(): Promise<CertificateReport> {
    const { flags } = await this.parse(CertsRenew);
    const loaded = await clusterOf(flags);
    const change = await planRenewal(this, loaded, flags);
    return changeCertificates(this, loaded, flags, 'renew', change, []);
  }
}
