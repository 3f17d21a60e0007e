/** The help as oclif shows it, with examples for the whole program, too. */
import { CommandHelp, Help, type Interfaces } from '@oclif/core';
import { ROOT_EXAMPLES } from './reference/root-examples.ts';

/** Most texts hold nothing to fill in: templates needn't be compiled for them, which is half the time of a help. */
function sparing(render: (text: string) => string): (text: string) => string {
  return (text) => (text.includes('<%') ? render(text) : text);
}

class SparingCommandHelp extends CommandHelp {
  constructor(...[command, config, options]: ConstructorParameters<typeof CommandHelp>) {
    super(command, config, options);
    this.render = sparing(this.render);
  }
}

export default class ProgramHelp extends Help {
  protected override CommandHelpClass = SparingCommandHelp;

  constructor(config: Interfaces.Config, options?: Partial<Interfaces.HelpOptions>) {
    super(config, options);
    this.render = sparing(this.render);
  }

  override formatRoot(): string {
    const lines = ROOT_EXAMPLES.map(({ command, does }): [string, string] => [`$ ${command}`, does]);
    return `${super.formatRoot()}\n\n${this.section('EXAMPLES', lines)}`;
  }
}
