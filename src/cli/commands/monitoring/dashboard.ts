import { dashboard } from '../../../monitoring/dashboard.ts';
import { DASHBOARD_FILE } from '../../../monitoring/file-names.ts';
import { BaseCommand } from '../../base-command.ts';
import { outDirectoryFlag, putOut } from '../../flags/out-directory.ts';

export default class MonitoringDashboard extends BaseCommand {
  static override summary = 'Print a dashboard for Grafana.';
  static override description =
    'Import it in Grafana, and choose the Prometheus and the cluster there. It shows the metrics of the jobs of "mesosup monitoring config".';
  static override examples = [
    '<%= config.bin %> monitoring dashboard',
    '<%= config.bin %> monitoring dashboard -o monitoring',
  ];
  static override flags = { out: outDirectoryFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(MonitoringDashboard);
    const text = `${JSON.stringify(dashboard(), null, 2)}\n`;
    await putOut(this, flags.out, { name: DASHBOARD_FILE, text });
  }
}
