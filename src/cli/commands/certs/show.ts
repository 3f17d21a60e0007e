import {
  type CertificateList,
  certificateRows,
  certificateTable,
} from '../../../cluster/certificate-rows.ts';
import { tlsFiles } from '../../../cluster/certificates.ts';
import { BaseCommand } from '../../base-command.ts';
import { certificatesOf } from '../../change-certificates.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';

export default class CertsShow extends BaseCommand {
  static override summary = "List a cluster's certificates with their names and ends.";
  static override description =
    'Reads the state of the cluster on this machine, and asks no host. Shows no keys.';
  static override examples = ['<%= config.bin %> certs show', '<%= config.bin %> certs show -o json'];
  static override flags = { ...specFlags, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(CertsShow);
    const loaded = await clusterOf(flags);
    const kept = await certificatesOf(loaded);
    const rows = certificateRows(kept, Date.now());
    const data: CertificateList = {
      cluster: loaded.cluster.name,
      state: kept.state,
      ...(kept.phase && { phase: kept.phase }),
      trusted: tlsFiles(kept).trusted,
      certificates: rows,
    };
    this.log(
      await inFormat(flags.output, {
        data,
        names: rows.map(({ host, service }) => (host === '' ? service : `${host}/${service}`)),
        table: (options) => certificateTable(rows, options),
      }),
    );
  }
}
