import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RULES_FILE } from '../../../monitoring/file-names.ts';
import { BaseCommand } from '../../base-command.ts';
import { outDirectoryFlag, putOut } from '../../flags/out-directory.ts';

export default class MonitoringRules extends BaseCommand {
  static override summary = 'Print alerts for Prometheus.';
  static override description =
    'Each alert says what to do. They use the metrics of the jobs of "mesosup monitoring config", whose output names this file.';
  static override examples = [
    '<%= config.bin %> monitoring rules',
    '<%= config.bin %> monitoring rules -o monitoring',
  ];
  static override flags = { out: outDirectoryFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitoringRules);
    const text = await readFile(path.join(this.config.root, '../templates/monitoring/rules.yml'), 'utf8');
    await putOut(this, flags.out, { name: RULES_FILE, text });
  }
}
