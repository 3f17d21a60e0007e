/** Makes the pages of help from the commands, with oclif's help: its texts, without its line breaks. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters as plain } from 'node:util';
import { type Command, CommandHelp, Help, type Interfaces } from '@oclif/core';
import {
  type HelpBlock,
  type HelpPage,
  helpFile,
  helpText,
  VERSION,
} from '../../src/cli/reference/help-page.ts';
import { ROOT_EXAMPLES } from '../../src/cli/reference/root-examples.ts';

type Formatter = Pick<Help, 'render' | 'renderList' | 'section'>;

/** Wide enough that oclif breaks no line. */
const UNLIMITED = 1_000_000;
/** Widths for which the pages are compared with oclif's help. */
const COMPARED = [40, 60, 80, 100, 132];
/** Stands for the command in the usage that oclif breaks into lines. */
const COMMAND = '<%= command.id %>';
/** Stands for a section in recorded help. */
const SECTION = /^\0(\d+)$/;

/** oclif's help with two changes: examples come first, and `mesosup --help` has examples too. */
class ProgramHelp extends Help {
  shown = '';
  protected override CommandHelpClass = ExamplesFirstHelp;

  override formatRoot(): string {
    const lines = ROOT_EXAMPLES.map(({ command, summary }): [string, string] => [`$ ${command}`, summary]);
    return `${super.formatRoot()}\n\n${this.section('EXAMPLES', lines)}`;
  }

  protected override log(text = ''): void {
    // The build may run in a terminal.
    this.shown += `${plain(text)}\n`;
  }
}

class ExamplesFirstHelp extends CommandHelp {
  protected override sections(): ReturnType<CommandHelp['sections']> {
    const sections = super.sections();
    const isExamples = ({ header }: { readonly header: string }) => header === 'EXAMPLES';
    return [...sections.filter(isExamples), ...sections.filter((section) => !isExamples(section))];
  }
}

class RecordedHelp extends ProgramHelp {
  readonly #sections: HelpBlock[] = [];

  constructor(config: Interfaces.Config) {
    super(config, { maxWidth: UNLIMITED });
    record(this, this.#sections, 0);
  }

  protected override getCommandHelpClass(command: Command.Loadable): CommandHelp {
    const help = super.getCommandHelpClass(command);
    record(help, this.#sections, COMMAND.length - command.id.length);
    return help;
  }

  get page(): HelpPage {
    const texts = this.shown.split(/\n{2,}/).filter((text) => text !== '');
    return texts.map((text) => this.#sections[Number(SECTION.exec(text)?.[1])] ?? textBlock(text));
  }
}

/** Makes a formatter put its sections into a list, and their places there into its text. */
function record(help: Formatter, sections: HelpBlock[], early: number): void {
  let rows: HelpBlock | undefined;
  const rendered = (text: string) => plain(help.render(text));
  const list = (header: string, input: readonly (readonly (string | undefined)[])[]): HelpBlock => ({
    header,
    list: input.map(([left = '', right]) =>
      right === undefined ? [rendered(left)] : [rendered(left), rendered(right)],
    ),
  });
  help.renderList = (input) => {
    rows = list('', input);
    return '\0';
  };
  help.section = (header, body) => {
    if (Array.isArray(body)) sections.push(list(header, body as [string, string | undefined][]));
    else if (rows && typeof rows !== 'string') sections.push({ ...rows, header });
    else if (header === 'USAGE') sections.push({ header, usage: rendered(String(body)), early });
    else sections.push(sectionBlock(header, rendered(String(body))));
    rows = undefined;
    return `\0${sections.length - 1}`;
  };
}

function sectionBlock(header: string, body: string): HelpBlock {
  return header === 'DESCRIPTION' ? { header, text: body } : { header, lines: body };
}

/** The sections of `mesosup --help`, which oclif makes elsewhere, or a text without a header. */
function textBlock(text: string): HelpBlock {
  const [, header, body] = /^([A-Z]+)\n {2}(.*)$/.exec(text) ?? [];
  return header === undefined || body === undefined ? text : { header, lines: body };
}

/** oclif changes the ids of the commands that it shows. */
function fresh(config: Interfaces.Config): Interfaces.Config {
  const commands = config.commands.map((command) => ({ ...command }));
  return Object.create(config, {
    commands: { value: commands },
    topics: { value: config.topics.map((topic) => ({ ...topic })) },
    findCommand: { value: (wanted: string) => commands.find(({ id }) => id === wanted) },
    userAgent: { value: VERSION },
  });
}

/**
 * Writes a page for each command and topic, and one for the program.
 * @param lib the directory of the bundles
 * @throws Error if a page looks other than oclif's help
 */
export async function writeHelpPages(lib: string, config: Interfaces.Config): Promise<void> {
  await mkdir(path.join(lib, 'help'));
  const names = new Set([
    '',
    ...config.commands.map(({ id }) => id),
    ...config.topics.map(({ name }) => name),
  ]);
  for (const name of names) {
    const words = name.split(':').filter((word) => word !== '');
    const recorded = new RecordedHelp(fresh(config));
    await recorded.showHelp(words);
    const { page } = recorded;
    for (const width of COMPARED) {
      const help = new ProgramHelp(fresh(config), { maxWidth: width });
      await help.showHelp(words);
      if (helpText(page, { width, styled: false }, VERSION) !== help.shown)
        throw new Error(`the help of "${words.join(' ')}" differs from oclif's in ${width} columns`);
    }
    await writeFile(path.join(lib, helpFile(words)), JSON.stringify(page));
  }
}
