import { quote } from '../../hosts/quote.ts';
import {
  argumentValues,
  type CommandReference,
  commandsBelow,
  LISTED_SECONDS,
  LISTED_WORDS,
  spellings,
  type Values,
  valuesOf,
} from './reference.ts';

/**
 * Writes the completion script for bash, which needs no bash-completion library. The candidates depend on the command
 * before the cursor and, if the previous word is a flag with a value, on that flag.
 */
export function bashCompletion(commands: readonly CommandReference[]): string {
  const names = commands.map(({ words }) => words);
  return `# Completion of mesosup for bash.
_mesosup() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$command$word" in
      ${patterns(names)}) command="$command$word " ;;
      *) break ;;
    esac
  done
  command=\${command% }
  # readline splits --flag=value into three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "$command $prev" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case $command in
    '') ${offer([...names.filter((name) => !name.includes(' ')), '--help', '--version'])} ;;
${commands.map((command) => commandCase(command, commands)).join('\n')}
  esac
}
_mesosup_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}
_mesosup_listed() {
  local words
  words=$(timeout ${LISTED_SECONDS} mesosup "$1" list -o name 2>/dev/null | grep -E ${quote(LISTED_WORDS)})
  [[ $cur == /* ]] || words=$(sed 's,^/,,' <<<"$words")
  _mesosup_words "$words"
}
_mesosup_files() {
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}
complete -F _mesosup mesosup
`;
}

const patterns = (words: readonly string[]) => words.map(quote).join(' | ');
const offer = (words: readonly string[]) => `_mesosup_words ${quote(words.join(' '))}`;
const FILES = '_mesosup_files -f';

function offerValues(values: Values): string {
  switch (values.kind) {
    case 'words':
      return offer(values.words);
    case 'listed':
      return `_mesosup_listed ${values.topic}`;
    case 'files':
      return FILES;
    case 'directories':
      return '_mesosup_files -d';
    case 'any':
      return ':';
  }
}

/** The `case` branches for flags with a value; flags with the same candidates share a branch. */
function valueCases({ words, flags }: CommandReference): string[] {
  const byOffer = new Map<string, string[]>();
  for (const flag of flags) {
    const values = valuesOf(flag);
    if (!values) continue;
    const offered = offerValues(values);
    const written = spellings(flag).map((spelling) => `${words} ${spelling}`);
    byOffer.set(offered, [...(byOffer.get(offered) ?? []), ...written]);
  }
  return [...byOffer].map(([offered, written]) => `    ${patterns(written)}) ${offered}; return ;;`);
}

function commandCase(command: CommandReference, all: readonly CommandReference[]): string {
  const { words, flags } = command;
  const dashed = offer([...flags.flatMap(spellings), '--help']);
  const below = commandsBelow(words, all).map((other) => other.words.slice(words.length + 1));
  const [argument] = command.arguments;
  const values = argument && offerValues(argumentValues(argument));
  const plain = below.length > 0 ? offer([...below, ...(argument?.options ?? [])]) : values;
  const body = plain ? `if [[ $cur == -* ]]; then ${dashed}; else ${plain}; fi` : dashed;
  return `    ${quote(words)}) ${body} ;;`;
}
