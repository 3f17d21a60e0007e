import { stopCluster } from '../../../demo/cluster.ts';
import { demoDirectory } from '../../../demo/directory.ts';
import { BaseCommand } from '../../base-command.ts';

const MESSAGES = {
  up: 'The demo is down. Only its Docker image is left.',
  remains: 'Removed the remains of a demo that was killed.',
  none: 'No demo is running.',
};

export default class DemoDown extends BaseCommand {
  static override summary = 'End a demo that was started with `mesosup demo --detach`.';
  static override description =
    'Also removes the remains of a demo that was killed. Does nothing when no demo is running.';
  static override examples = ['<%= config.bin %> demo down'];
  static override enableJsonFlag = true;

  async run(): Promise<{ found: keyof typeof MESSAGES }> {
    await this.parse(DemoDown);
    const found = await stopCluster(demoDirectory(process.getuid?.() ?? 0, process.env));
    this.log(MESSAGES[found]);
    return { found };
  }
}
