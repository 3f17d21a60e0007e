/** oclif's help with two changes: examples come first, and `mesosup --help` has examples too. */
import { CommandHelp, Help, type Interfaces } from '@oclif/core';
import { ROOT_EXAMPLES } from './reference/root-examples.ts';

/** Renders only texts with template tags. Compiling a template for every text takes half the time of a help page. */
function renderTemplatesOnly(render: (text: string) => string): (text: string) => string {
  return (text) => (text.includes('<%') ? render(text) : text);
}

class ExamplesFirstHelp extends CommandHelp {
  constructor(...[command, config, options]: ConstructorParameters<typeof CommandHelp>) {
    super(command, config, options);
    this.render = renderTemplatesOnly(this.render);
  }

  protected override sections(): ReturnType<CommandHelp['sections']> {
    const sections = super.sections();
    const isExamples = ({ header }: { readonly header: string }) => header === 'EXAMPLES';
    return [...sections.filter(isExamples), ...sections.filter((section) => !isExamples(section))];
  }
}

export default class ProgramHelp extends Help {
  protected override CommandHelpClass = ExamplesFirstHelp;

  constructor(config: Interfaces.Config, options?: Partial<Interfaces.HelpOptions>) {
    super(config, options);
    this.render = renderTemplatesOnly(this.render);
  }

  override formatRoot(): string {
    const lines = ROOT_EXAMPLES.map(({ command, summary }): [string, string] => [`$ ${command}`, summary]);
    return `${super.formatRoot()}\n\n${this.section('EXAMPLES', lines)}`;
  }
}
