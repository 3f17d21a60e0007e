import { flagGroups } from './flag-groups.ts';
import {
  type CommandReference,
  type FlagReference,
  flagSynopsis,
  summaryWithDefault,
  synopsis,
} from './reference.ts';
import { ROOT_EXAMPLES } from './root-examples.ts';

/** Writes the man page mesosup(1) in the macros of man(7). */
export function manPage(commands: readonly CommandReference[], version: string): string {
  const groups = flagGroups(commands);
  const sections = commands.flatMap((command) => {
    const wholeGroups = groups.groupsOf(command).map((group) => `${group} FLAGS`);
    return [
      `.SS ${quoted(synopsis(command))}`,
      paragraph(command.summary),
      ...(command.description ? ['.PP', paragraph(command.description)] : []),
      ...command.arguments.flatMap(({ name, summary }) => term(name, summary)),
      ...groups.ownOf(command).flatMap(flagTerm),
      ...(wholeGroups.length > 0 ? ['.PP', paragraph(`Also: ${wholeGroups.join(', ')}.`)] : []),
    ];
  });
  const shared = [...groups.shared].flatMap(([group, flags]) => [
    `.SH ${quoted(`${group} FLAGS`)}`,
    ...flags.flatMap(flagTerm),
  ]);
  return `${[
    `.TH MESOSUP 1 "" ${quoted(`mesosup ${version}`)} "User Commands"`,
    '.SH NAME',
    `mesosup \\- ${escaped('Docker containers on Apache Mesos: installer, scheduler and executor')}`,
    '.SH SYNOPSIS',
    '.B mesosup',
    '.I COMMAND',
    escaped('[FLAGS]'),
    '.br',
    '.B mesosup',
    escaped('--help | --version'),
    '.SH DESCRIPTION',
    paragraph(
      'Installs Apache Mesos, Docker and a scheduler on Debian or Ubuntu hosts with one command, runs Docker containers on them, and keeps the cluster healthy.',
    ),
    '.SH COMMANDS',
    ...sections,
    ...shared,
    '.SH EXAMPLES',
    ...ROOT_EXAMPLES.flatMap(({ command, summary }) => term(command, `${summary}.`)),
    '.SH ENVIRONMENT',
    ...term('NO_COLOR', 'Turns off colours if set to a non-empty value.'),
    ...term(
      'XDG_STATE_HOME',
      'Secrets of clusters are kept in its subdirectory mesosup. Default: ~/.local/state.',
    ),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, meaning]) => term(code, meaning)),
  ].join('\n')}\n`;
}

const EXIT_CODES = [
  ['0', 'Done.'],
  ['1', 'Failed; for status: not healthy.'],
  ['2', 'Invalid usage.'],
  ['3', 'Changes are pending (plan).'],
  ['130', 'Interrupted.'],
] as const;

/** Escapes the characters that roff would interpret. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');
}

function paragraph(text: string): string {
  return escaped(text).replace(/^\./, '\\&.');
}

/** Quotes an argument of a macro. */
const quoted = (text: string) => `"${escaped(text).replaceAll('"', '\\(dq')}"`;

function term(name: string, text: string): string[] {
  return ['.TP', `.B ${quoted(name)}`, paragraph(text)];
}

function flagTerm(flag: FlagReference): string[] {
  return term(flagSynopsis(flag), summaryWithDefault(flag));
}
