import { demoDirectory, inspectDirectory } from '../../../demo/directory.ts';
import { readOverview } from '../../../demo/overview.ts';
import { SchedulerApi } from '../../../demo/scheduler-api.ts';
import { type Overview, renderOverview } from '../../../demo/table.ts';
import { BaseCommand } from '../../base-command.ts';

/** Long enough for a program that is restarting. */
const PATIENCE_MS = 10_000;

interface DemoStatus extends Partial<Overview> {
  readonly up: boolean;
  readonly schedulerUrl?: string;
  readonly masterUrl?: string;
}

export default class DemoStatusCommand extends BaseCommand {
  static override summary = 'Show the apps, tasks and agents of a running demo.';
  static override description = 'Exits with 1 when no demo is running.';
  static override examples = ['<%= config.bin %> demo status', '<%= config.bin %> demo status --json'];
  static override enableJsonFlag = true;

  async run(): Promise<DemoStatus> {
    await this.parse(DemoStatusCommand);
    const found = await inspectDirectory(demoDirectory(process.getuid?.() ?? 0, process.env));
    if (found.kind !== 'up' || !found.state) {
      this.log(`No demo is running. Start one with: ${this.config.bin} demo --detach`);
      process.exitCode = 1;
      return { up: false };
    }
    const { schedulerUrl, masterUrl } = found.state;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const overview = await readOverview(new SchedulerApi(schedulerUrl, signal), masterUrl, signal);
    this.log(`Mesos master on ${masterUrl}, scheduler on ${schedulerUrl}\n\n${renderOverview(overview)}`);
    return { up: true, schedulerUrl, masterUrl, ...overview };
  }
}
