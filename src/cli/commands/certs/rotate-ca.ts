import { BaseCommand } from '../../base-command.ts';
import { type CertificateReport, changeCertificates } from '../../certificate-report.ts';
import { planAuthority } from '../../change-certificates.ts';
import { clusterOf } from '../../flags/cluster-flags.ts';
import { phaseFlags } from '../../flags/phase-flags.ts';

export default class CertsRotateCa extends BaseCommand {
  static override summary = 'Replace the certificate authority of a cluster, without an outage.';
  static override description =
    'Goes through three phases: services trust the new authority besides the old one, services have certificates of the new one, services no longer trust the old one. Containers keep running. The key of the old authority is not needed. If a phase fails, run the same command again to resume.';
  static override examples = [
    '<%= config.bin %> certs rotate-ca --dry-run',
    '<%= config.bin %> certs rotate-ca --yes',
  ];
  static override enableJsonFlag = true;
  static override flags = phaseFlags;

  async run(): Promise<CertificateReport> {
    const { flags } = await this.parse(CertsRotateCa);
    const loaded = await clusterOf(flags);
    const change = await planAuthority(this, loaded, flags);
    return changeCertificates(this, loaded, flags, 'rotate-ca', change, [
      'People on other machines need the new authority: mesosup certs trust',
      'Make a new backup: the certificates in older ones no longer work.',
    ]);
  }
}
