import {
  type ArgumentReference,
  argumentValues,
  type CommandReference,
  type FlagReference,
  LISTED_SECONDS,
  LISTED_WORDS,
  valuesOf,
} from './reference.ts';

/** Writes the completion script for fish. */
export function fishCompletion(commands: readonly CommandReference[]): string {
  const fn = '__mesosup_at';
  const names = commands.map(({ words }) => words);
  const complete = 'complete -c mesosup';
  const lines = commands.flatMap((command) => {
    const { words, summary, flags } = command;
    const at = words.split(' ');
    const parent = at.slice(0, -1).join(' ');
    const here = `${complete} -n ${quoted(`${fn} ${quoted(words)}`)}`;
    return [
      `${complete} -n ${quoted(`${fn} ${quoted(parent)}`)} -a ${quoted(at.at(-1) ?? '')} -d ${quoted(summary)}`,
      ...flags.flatMap((flag) => flagWords(flag).map((line) => `${here} ${line}`)),
      `${here} -l help -d 'Show help'`,
      ...command.arguments.map((argument) => `${here}${argumentWords(argument)}`),
    ];
  });
  return `# Completion of mesosup for fish.
function ${fn} --description 'Test that the words before the cursor name this command'
    set -l command
    for word in (commandline -opc)[2..]
        contains -- "$command$word" ${names.map(quoted).join(' ')}; or break
        set command "$command$word "
    end
    test "$(string trim -- "$command")" = "$argv[1]"
end
function __mesosup_listed --description 'List the names of a topic'
    set -l words (timeout ${LISTED_SECONDS} mesosup $argv[1] list -o name 2>/dev/null | string match -r ${quoted(LISTED_WORDS)})
    string match -q '/*' -- (commandline -ct); or set words (string replace -r '^/' '' -- $words)
    printf '%s\\n' $words
end
${complete} -f
${complete} -n ${quoted(`${fn} ''`)} -l help -d 'Show help'
${complete} -n ${quoted(`${fn} ''`)} -l version -d 'Show the version'
${lines.join('\n')}
`;
}

/** Quotes a word for fish. */
function quoted(word: string): string {
  return `'${word.replaceAll(/[\\']/g, '\\$&')}'`;
}

function flagWords(flag: FlagReference): string[] {
  const { name, char, summary, negatable } = flag;
  const short = char ? `-s ${char} ` : '';
  const spelled = `${short}-l ${name} -d ${quoted(summary)}${valueWords(flag)}`;
  return negatable ? [spelled, `-l no-${name} -d ${quoted(`Not: ${summary}`)}`] : [spelled];
}

function argumentWords(argument: ArgumentReference): string {
  const values = argumentValues(argument);
  if (values.kind === 'listed') return ` -a '(__mesosup_listed ${values.topic})'`;
  if (values.kind !== 'words') return ' -F';
  return ` -a ${quoted(values.words.join(' '))} -d ${quoted(argument.summary)}`;
}

function valueWords(flag: FlagReference): string {
  const values = valuesOf(flag);
  if (!values) return '';
  switch (values.kind) {
    case 'words':
      return ` -x -a ${quoted(values.words.join(' '))}`;
    case 'listed':
      return ` -x -a '(__mesosup_listed ${values.topic})'`;
    case 'files':
      return ' -r -F';
    case 'directories':
      return " -x -a '(__fish_complete_directories)'";
    case 'any':
      return ' -x';
  }
}
