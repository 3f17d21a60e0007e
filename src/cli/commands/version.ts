import { BaseCommand } from '../base-command.ts';

interface Version {
  readonly version: string;
  readonly node: string;
  readonly arch: string;
}

export default class VersionCommand extends BaseCommand {
  static override summary = 'Show the version of mesosup.';
  static override description = 'The same as mesosup --version.';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json'];
  static override enableJsonFlag = true;

  async run(): Promise<Version> {
    await this.parse(VersionCommand);
    this.log(this.config.userAgent);
    return { version: this.config.version, node: process.version, arch: process.arch };
  }
}
