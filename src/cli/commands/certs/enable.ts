import { BaseCommand } from '../../base-command.ts';
import { type CertificateReport, changeCertificates } from '../../certificate-report.ts';
import { planEnabling } from '../../change-certificates.ts';
import { clusterOf } from '../../flags/cluster-flags.ts';
import { phaseFlags } from '../../flags/phase-flags.ts';

export default class CertsEnable extends BaseCommand {
  static override summary = 'Encrypt all connections within a running cluster, without an outage.';
  static override description =
    "Makes a certificate authority and certificates, and goes through three phases: services take TLS besides plain text, clients use TLS, services take no plain text. In each phase, masters and schedulers restart one by one, and agents a few at a time; containers keep running. If a phase fails, run the same command again to resume. ZooKeeper's own ports stay as they are.";
  static override examples = [
    '<%= config.bin %> certs enable --dry-run',
    '<%= config.bin %> certs enable --yes',
  ];
  static override enableJsonFlag = true;
  static override flags = phaseFlags;

  async run(): Promise<CertificateReport> {
    const { flags } = await this.parse(CertsEnable);
    const loaded = await clusterOf(flags);
    const change = await planEnabling(this, loaded, flags);
    return changeCertificates(this, loaded, flags, 'enable', change, [
      'People on other machines add their contexts again, with https and the authority: mesosup certs trust',
      'Make a new backup.',
    ]);
  }
}
