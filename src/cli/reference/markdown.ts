import { flagGroups } from './flag-groups.ts';
import { type CommandReference, explained, type FlagReference, spelledOut, usage } from './reference.ts';

/** The page of all commands, for `docs/`. */
export function markdownReference(commands: readonly CommandReference[]): string {
  const groups = flagGroups(commands);
  const sections = commands.map((command) => {
    const { words, summary, description, examples } = command;
    const whole = groups.groupsOf(command).map((group) => `[${titled(group)}](#${titled(group)}-flags)`);
    return [
      `## mesosup ${words}`,
      summary,
      // Lines that are set in are what somebody would write: code, which takes four blanks here.
      description.replaceAll(/^ {2}/gm, '      '),
      `\`${usage(command)}\``,
      list([
        ...command.arguments.map(({ name, summary: text }): [string, string] => [name, text]),
        ...groups.ownOf(command).map(flagRow),
      ]),
      whole.length > 0 ? `Also the flags of ${whole.join(', ')}.` : '',
      `\`\`\`sh\n${examples.join('\n')}\n\`\`\``,
    ];
  });
  const shared = [...groups.shared].map(([group, flags]) => [
    `## ${titled(group)} flags`,
    list(flags.map(flagRow)),
  ]);
  const text = [INTRODUCTION, ...[...sections, ...shared].flat()].filter((part) => part !== '');
  return `${text.join('\n\n')}\n`;
}

const INTRODUCTION = `# Commands

Made from the commands by \`npm run docs\`; \`mesosup COMMAND --help\` says the same. Exit codes: 0 done, 1 failed, 2 the
command can't be done as it was given, 3 changes are pending (\`plan\`), 130 interrupted. Colours are left out where the
output is no terminal, and with \`NO_COLOR\`.`;

const titled = (group: string) => group.toLowerCase();

function flagRow(flag: FlagReference): [string, string] {
  return [spelledOut(flag), explained(flag)];
}

const list = (rows: readonly (readonly [string, string])[]) =>
  rows.map(([term, text]) => `- \`${term}\`: ${text}`).join('\n');
