/**
 * Patterns of LIKE and UNLIKE in RE2's syntax, for the master to match with. What it is given may be wrong in one
 * direction only: it lets too many offers through. So a pattern for LIKE matches all that the original does, one for
 * UNLIKE nothing that the original does not, whatever the text; and where that takes anything but the plainest parts
 * of the two syntaxes, or more of RE2 than the master allows, there is none.
 */

/**
 * Instructions of a compiled pattern. The master's default for `--offer_constraints_re2_max_mem`, 4 KB, is room for
 * some 34, a few of which RE2 needs in any case; that for `--offer_constraints_re2_max_program_size` is 100.
 */
const MAX_INSTRUCTIONS = 24;

export interface Re2Pattern {
  readonly regex: string;
  /** The one text that it matches, where it is that plain. */
  readonly text?: string;
}

interface Part {
  readonly regex: string;
  /** Instructions at most. */
  readonly cost: number;
  /** The character that it stands for. */
  readonly text?: string;
}

type Rule = readonly [pattern: RegExp, part: (found: string) => Part];

const COMMON: readonly Rule[] = [
  [/[A-Za-z0-9 _:/,=@~%#&!;<>"'`-]/y, (text) => ({ regex: text, cost: 1, text })],
  [/\\[.*+?()[\]{}|^$\\]/y, (regex) => ({ regex, cost: 1, text: regex.slice(1) })],
  [/\\[-/_:]/y, (found) => ({ regex: found.slice(1), cost: 1, text: found.slice(1) })],
  [/\\d/y, () => ({ regex: '[0-9]', cost: 1 })],
  [/\\w/y, () => ({ regex: '[0-9A-Za-z_]', cost: 7 })],
  [/\[(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.])+\]/y, (regex) => ({ regex, cost: 2 * rangesIn(regex) })],
  [/\((?:\?:|(?!\?))/y, () => ({ regex: '(?:', cost: 1 })],
  [/[)|]/y, (regex) => ({ regex, cost: 1 })],
  // Greedy or not makes no difference to a match of the whole.
  [/[*+?]\??/y, ([regex = '']) => ({ regex, cost: 2 })],
];

/** A dot is half of a character beyond the first 65,536 here, and all of it there: so any bytes, or plain ASCII. */
const RULES: Record<'LIKE' | 'UNLIKE', readonly Rule[]> = {
  LIKE: [...COMMON, [/\.(?:[*+?]\??)?/y, () => ({ regex: '\\C*', cost: 2 })]],
  UNLIKE: [...COMMON, [/\./y, () => ({ regex: '[ -~]', cost: 1 })]],
};

/** @param pattern one that JavaScript takes. @returns undefined where the master is better not asked */
export function toRe2(operator: 'LIKE' | 'UNLIKE', pattern: string): Re2Pattern | undefined {
  const parts: Part[] = [];
  for (let at = 0; at < pattern.length; ) {
    const found = partAt(RULES[operator], pattern, at);
    if (!found) return undefined;
    parts.push(found.part);
    at = found.end;
  }
  const regex = parts.map((part) => part.regex).join('');
  const texts = parts.flatMap(({ text }) => text ?? []);
  if (texts.length === parts.length) return { regex, text: texts.join('') };
  const cost = parts.reduce((sum, part) => sum + part.cost, 0);
  return cost <= MAX_INSTRUCTIONS ? { regex } : undefined;
}

function rangesIn(characterClass: string): number {
  return characterClass.slice(1, -1).replaceAll(/.-./g, '-').length;
}

function partAt(
  rules: readonly Rule[],
  pattern: string,
  at: number,
): { part: Part; end: number } | undefined {
  for (const [rule, part] of rules) {
    rule.lastIndex = at;
    const found = rule.exec(pattern)?.[0];
    if (found !== undefined) return { part: part(found), end: at + found.length };
  }
  return undefined;
}
