import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import type { CommandReference } from './reference.ts';
import { zshCompletion } from './zsh.ts';

type Completion = (commands: readonly CommandReference[]) => string;

/** The completion scripts by shell. */
export const COMPLETIONS = {
  bash: (commands) => bashCompletion(withTopics(commands)),
  zsh: (commands) => zshCompletion(withTopics(commands)),
  fish: (commands) => fishCompletion(withTopics(commands)),
} satisfies Record<string, Completion>;
export type Shell = keyof typeof COMPLETIONS;

/** Adds an entry for each topic: a first word that is not a command itself, for example `scheduler`. */
function withTopics(commands: readonly CommandReference[]): CommandReference[] {
  const named = new Set(commands.map(({ words }) => words));
  const topics = new Map<string, string[]>();
  for (const { words } of commands) {
    const [topic = '', ...rest] = words.split(' ');
    if (!named.has(topic)) topics.set(topic, [...(topics.get(topic) ?? []), rest.join(' ')]);
  }
  const added = [...topics].map(([words, below]): CommandReference => {
    const summary = `One of ${below.join(', ')}`;
    return { words, summary, description: '', arguments: [], flags: [], examples: [] };
  });
  return [...commands, ...added].sort((a, b) => (a.words < b.words ? -1 : 1));
}
