import { flagGroups } from './flag-groups.ts';
import { type CommandReference, explained, type FlagReference, spelledOut, usage } from './reference.ts';
import { ROOT_EXAMPLES } from './root-examples.ts';

/** The man page mesosup(1), in the macros of man(7). */
export function manPage(commands: readonly CommandReference[], version: string): string {
  const groups = flagGroups(commands);
  const sections = commands.flatMap((command) => {
    const whole = groups.groupsOf(command).map((group) => `${group} FLAGS`);
    return [
      `.SS ${quoted(usage(command))}`,
      paragraph(command.summary),
      ...(command.description ? ['.PP', paragraph(command.description)] : []),
      ...command.arguments.flatMap(({ name, summary }) => term(name, summary)),
      ...groups.ownOf(command).flatMap(flagTerm),
      ...(whole.length > 0 ? ['.PP', paragraph(`Also: ${whole.join(', ')}.`)] : []),
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
      'Takes bare Ubuntu or Debian hosts to a running Docker container on Mesos with one command, and keeps the cluster well afterwards.',
    ),
    '.SH COMMANDS',
    ...sections,
    ...shared,
    '.SH EXAMPLES',
    ...ROOT_EXAMPLES.flatMap(({ command, does }) => term(command, `${does}.`)),
    '.SH ENVIRONMENT',
    ...term('NO_COLOR', 'Nothing is coloured when it is set and not empty.'),
    ...term(
      'XDG_STATE_HOME',
      'Secrets of clusters are kept beneath it, in mesosup; ~/.local/state without it.',
    ),
    '.SH EXIT STATUS',
    ...EXIT_CODES.flatMap(([code, meaning]) => term(code, meaning)),
  ].join('\n')}\n`;
}

const EXIT_CODES = [
  ['0', 'Done.'],
  ['1', 'Failed; for status: not healthy.'],
  ['2', "The command can't be done as it was given."],
  ['3', 'Changes are pending (plan).'],
  ['130', 'Interrupted.'],
] as const;

/** Text as roff prints it: its own characters are nothing special. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');
}

function paragraph(text: string): string {
  return escaped(text).replace(/^\./, '\\&.');
}

/** A macro's argument. */
const quoted = (text: string) => `"${escaped(text).replaceAll('"', '\\(dq')}"`;

function term(name: string, text: string): string[] {
  return ['.TP', `.B ${quoted(name)}`, paragraph(text)];
}

function flagTerm(flag: FlagReference): string[] {
  return term(spelledOut(flag), explained(flag));
}
