/** Shows help for the command lines for which main.ts does not: oclif finds the command or topic that they name. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, Help, type Interfaces } from '@oclif/core';
import { helpFile, helpText } from './reference/help-page.ts';
import { helpLayout } from './usage/help-request.ts';

export default class ProgramHelp extends Help {
  override async showRootHelp(): Promise<void> {
    this.#show([]);
  }

  override async showCommandHelp({ id }: Command.Loadable): Promise<void> {
    this.#show(id.split(':'));
  }

  protected override async showTopicHelp({ name }: Interfaces.Topic): Promise<void> {
    this.#show(name.split(':'));
  }

  #show(words: readonly string[]): void {
    const page = JSON.parse(readFileSync(path.join(this.config.root, helpFile(words)), 'utf8'));
    process.stdout.write(helpText(page, helpLayout(process.stdout), this.config.userAgent));
  }
}
