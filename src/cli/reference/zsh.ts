import { quote } from '../../hosts/quote.ts';
import {
  type ArgumentReference,
  argumentValues,
  type CommandReference,
  commandsBelow,
  type FlagReference,
  LISTED_SECONDS,
  LISTED_WORDS,
  valuesOf,
} from './reference.ts';

/** Writes the completion script for zsh: a function for each command, and one that finds the command. */
export function zshCompletion(commands: readonly CommandReference[]): string {
  const top = commands.filter(({ words }) => !words.includes(' '));
  return `#compdef mesosup
# Completion of mesosup for zsh.
_mesosup() {
  local curcontext=$curcontext state line
  local -a commands
  _arguments -C '(- *)--help[Show help]' '(- *)--version[Show the version]' '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      commands=(${top.map(described).join(' ')})
      _describe command commands
      ;;
    argument)
      case $words[1] in
${top.map(({ words }) => `        ${quote(words)}) ${functionOf(words)} ;;`).join('\n')}
      esac
      ;;
  esac
}
${commands.map((command) => commandFunction(command, commands)).join('\n')}
_mesosup_listed() {
  local -a words_listed
  words_listed=(\${(f)"$(timeout ${LISTED_SECONDS} mesosup $1 list -o name 2>/dev/null | grep -E ${quote(LISTED_WORDS)})"})
  [[ $PREFIX == /* ]] || words_listed=(\${words_listed#/})
  compadd -a words_listed
}
# compinit calls this function at once; if the file is sourced, it registers itself.
if [[ $funcstack[1] == _mesosup ]]; then
  _mesosup "$@"
else
  compdef _mesosup mesosup
fi
`;
}

const functionOf = (words: string) => `_mesosup_${words.replaceAll(/[ -]/g, '_')}`;

/** A word with its summary, in the format of _describe. */
function described({ words, summary }: CommandReference): string {
  return quote(`${(words.split(' ').at(-1) ?? '').replaceAll(':', '\\:')}:${summary}`);
}

function commandFunction(command: CommandReference, all: readonly CommandReference[]): string {
  const { words, flags } = command;
  const below = commandsBelow(words, all);
  const specs = [
    ...flags.flatMap(flagSpecs),
    quote('(- *)--help[Show help]'),
    ...command.arguments.map(argumentSpec),
  ];
  if (below.length > 0) specs.push("'1:command:->command'");
  const deeper = below.map((other) => {
    const word = other.words.slice(words.length + 1);
    return `  if [[ $words[2] == ${quote(word)} ]] && ((CURRENT > 2)); then
    shift words
    ((CURRENT--))
    ${functionOf(other.words)}
    return
  fi\n`;
  });
  const choice = `  if [[ $state == command ]]; then
    commands=(${below.map(described).join(' ')})
    _describe command commands
  fi\n`;
  return `${functionOf(words)}() {
  local curcontext=$curcontext state line
  local -a commands
${deeper.join('')}  _arguments -C ${specs.join(' \\\n    ')}
${below.length > 0 ? choice : ''}}`;
}

/** Escapes a description for brackets. */
const bracketed = (text: string) => `[${text.replaceAll(/[\\[\]]/g, '\\$&')}]`;

function flagSpecs(flag: FlagReference): string[] {
  const { name, char, summary, negatable } = flag;
  const action = actionOf(flag);
  const long = `--${name}${flag.value === undefined ? '' : '='}${bracketed(summary)}${action}`;
  return [
    long,
    ...(char ? [`-${char}${bracketed(summary)}${action}`] : []),
    ...(negatable ? [`--no-${name}${bracketed(`Not: ${summary}`)}`] : []),
  ].map(quote);
}

function actionOf(flag: FlagReference): string {
  const values = valuesOf(flag);
  if (!values) return '';
  const message = (flag.value ?? '').replaceAll(':', '\\:');
  switch (values.kind) {
    case 'words':
      return `:${message}:(${values.words.join(' ')})`;
    case 'listed':
      return `:${message}:{_mesosup_listed ${values.topic}}`;
    case 'files':
      return `:${message}:_files`;
    case 'directories':
      return `:${message}:_files -/`;
    case 'any':
      return `:${message}: `;
  }
}

function argumentSpec(argument: ArgumentReference, index: number): string {
  const { name, required } = argument;
  const action = argumentAction(argument);
  return quote(`${index + 1}:${required ? '' : ':'}${name}:${action}`);
}

function argumentAction(argument: ArgumentReference): string {
  const values = argumentValues(argument);
  if (values.kind === 'listed') return `{_mesosup_listed ${values.topic}}`;
  return values.kind === 'words' ? `(${values.words.join(' ')})` : '_files';
}
