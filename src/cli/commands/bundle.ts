import path from 'node:path';
import { Flags } from '@oclif/core';
import { type BundleReport, makeBundle } from '../../install/operations/make-bundle.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { clusterOf, specFlags } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';
import { saveImages } from '../save-images.ts';

export default class Bundle extends BaseCommand {
  static override summary = 'Collect everything that an installation without a network needs.';
  static override description =
    'Probes the hosts, lets the apt of one host of each system resolve all packages with their dependencies, and writes them with their keys, mesosup itself and images into one file. Changes nothing on the hosts. Files stay in ~/.cache/mesosup, so that an interrupted run resumes. "mesosup install --bundle FILE" uses nothing else.';
  static override examples = [
    '<%= config.bin %> bundle --file cluster.yaml --out bundle.tar',
    '<%= config.bin %> bundle --hosts h1,h2,h3 --out bundle.tar --update',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...specFlags,
    ...connectFlags,
    out: Flags.string({
      char: 'o',
      summary: 'Path of the bundle. An older bundle is replaced when the new one is complete.',
      helpValue: 'FILE',
      required: true,
    }),
    image: Flags.string({
      summary: 'An image of the Docker on this machine, for the agents. May be repeated. Default: none.',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    update: Flags.boolean({
      summary: 'Take the newest packages. Default: the versions that hosts took (versions.lock).',
    }),
  };

  async run(): Promise<BundleReport> {
    const { flags } = await this.parse(Bundle);
    const loaded = await clusterOf(flags);
    const file = path.resolve(flags.out);
    const report = await withSession(this, loaded, flags, async ({ session, program }) => {
      const images = await saveImages(flags.image ?? [], session.packages);
      const say = (text: string) => this.log(text);
      return makeBundle(session, program, { file, update: flags.update, images, say });
    });
    this.log(`Saved. Use it with: ${this.config.bin} install --bundle ${flags.out}`);
    return report;
  }
}
