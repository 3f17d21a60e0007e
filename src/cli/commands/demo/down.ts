import { stopCluster } from '../../../demo/cluster.ts';
import { demoDirectory } from '../../../demo/directory.ts';
import { BaseCommand } from '../../base-command.ts';

const SAID = {
  up: 'The demo is down; nothing of it is left but the Docker image.',
  remains: 'A demo had died here; its remains are cleared.',
  none: 'No demo is up.',
};

export default class DemoDown extends BaseCommand {
  static override summary = 'End a demo that was left up with `mesosup demo --detach`.';
  static override description =
    'Also clears what a demo left that was killed. Does nothing when no demo is up.';
  static override examples = ['<%= config.bin %> demo down'];
  static override enableJsonFlag = true;

  async run(): Promise<{ found: keyof typeof SAID }> {
    await this.parse(DemoDown);
    const found = await stopCluster(demoDirectory(process.getuid?.() ?? 0, process.env));
    this.log(SAID[found]);
    return { found };
  }
}
