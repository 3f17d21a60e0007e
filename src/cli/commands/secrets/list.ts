import { secretRows, secretsTable } from '../../../cluster/secret-rows.ts';
import { BaseCommand } from '../../base-command.ts';
import { clusterOf, specFlags } from '../../flags/cluster-flags.ts';
import { inFormat, outputFlag } from '../../flags/output-flag.ts';
import { keptSecretsOf } from '../../kept-secrets.ts';

export default class SecretsList extends BaseCommand {
  static override summary = "List a cluster's secrets with their users and ages, without their values.";
  static override description =
    'Reads the state of the cluster on this machine, and asks no host. The age of a secret is unknown if an earlier release made it.';
  static override examples = [
    '<%= config.bin %> secrets list',
    '<%= config.bin %> secrets list -o wide',
    '<%= config.bin %> secrets list -o name',
  ];
  static override flags = { ...specFlags, output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(SecretsList);
    const rows = secretRows(await keptSecretsOf(await clusterOf(flags)), Date.now());
    this.log(
      await inFormat(flags.output, {
        data: rows,
        names: rows.map(({ name }) => name),
        table: (options) => secretsTable(rows, options),
      }),
    );
  }
}
