import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Args, type Interfaces } from '@oclif/core';
import { BaseCommand } from '../base-command.ts';
import { COMPLETIONS, type Shell } from '../reference/completions.ts';
import { referenceOf } from '../reference/reference.ts';

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for a shell.';
  static override description =
    'For bash, add to ~/.bashrc: source <(mesosup completion bash). For zsh, add to ~/.zshrc after compinit: source <(mesosup completion zsh). For fish, run: mesosup completion fish > ~/.config/fish/completions/mesosup.fish.';
  static override examples = [
    '<%= config.bin %> completion bash',
    '<%= config.bin %> completion zsh',
    '<%= config.bin %> completion fish',
  ];
  static override args = {
    shell: Args.string({
      ignoreStdin: true,
      required: true,
      options: Object.keys(COMPLETIONS),
      description: 'The shell.',
    }),
  };

  async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    const file = path.join(this.config.root, 'commands.json');
    const { commands }: Interfaces.Manifest = JSON.parse(await readFile(file, 'utf8'));
    this.log(COMPLETIONS[args.shell as Shell](referenceOf(Object.values(commands))).trimEnd());
  }
}
