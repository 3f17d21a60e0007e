import { Args, loadHelpClass } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { checkCommandWords } from '../usage/command-words.ts';

export default class HelpCommand extends BaseCommand {
  static override summary = 'Show the help of a command, or list all commands.';
  static override description = 'Every command shows the same with --help or -h.';
  static override examples = ['<%= config.bin %> help', '<%= config.bin %> help demo down'];
  static override strict = false;
  static override args = {
    command: Args.string({ name: 'COMMAND', description: 'The words of a command.', ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const { argv } = await this.parse(HelpCommand);
    const words = argv.map(String);
    checkCommandWords(words, this.config.commands);
    const Help = await loadHelpClass(this.config);
    await new Help(this.config, this.config.pjson.oclif.helpOptions).showHelp(words);
  }
}
