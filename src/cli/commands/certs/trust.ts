import { writeFile } from 'node:fs/promises';
import { Flags } from '@oclif/core';
import { execa } from 'execa';
import { tlsFiles } from '../../../cluster/certificates.ts';
import { MesosupError } from '../../../errors/mesosup-error.ts';
import { BaseCommand } from '../../base-command.ts';
import { certificatesOf } from '../../change-certificates.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';

/** Of Debian and Ubuntu: update-ca-certificates(8). */
const STORE = '/usr/local/share/ca-certificates';

export default class CertsTrust extends BaseCommand {
  static override summary = "Print a cluster's certificate authority, or let this machine trust it.";
  static override description =
    'Prints the certificates of the authority in PEM, for browsers and for "mesosup context add --ca". With --install, programs on this machine trust it; this needs root, on Debian or Ubuntu. The commands of mesosup find it by themselves on the machine that installed the cluster.';
  static override examples = [
    '<%= config.bin %> certs trust > lab-ca.pem',
    '<%= config.bin %> certs trust --install',
  ];
  static override flags = {
    ...specFlags,
    install: Flags.boolean({ summary: `Put it into the store of this machine (${STORE}).` }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(CertsTrust);
    const loaded = await clusterOf(flags);
    const { trusted } = tlsFiles(await certificatesOf(loaded));
    if (!flags.install) {
      this.log(trusted.trimEnd());
      return;
    }
    const file = `${STORE}/mesosup-${loaded.cluster.name}.crt`;
    try {
      await writeFile(file, trusted, { mode: 0o644 });
      await execa('update-ca-certificates');
    } catch (cause) {
      const { code, shortMessage } = cause as { code?: string; shortMessage?: string };
      throw new MesosupError(
        `this machine does not trust the authority yet: ${file}: ${shortMessage ?? code}`,
        {
          path: file,
          remedy: `Run the command as root, with --state ${loaded.state.directory}. Elsewhere than on Debian and Ubuntu, add the output of "mesosup certs trust" to the store.`,
          cause,
        },
      );
    }
    this.log(`Programs on this machine trust the certificates of ${loaded.cluster.name} (${file}).`);
  }
}
