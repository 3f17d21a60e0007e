/**
 * Translates the patterns of LIKE and UNLIKE to RE2's syntax for the master. The result may err only by letting too
 * many offers through: for every text, a pattern for LIKE matches everything that the original matches, and a pattern
 * for UNLIKE nothing that the original does not match. If that would need more than the simplest parts of the two
 * syntaxes, or more RE2 memory than the master allows, there is no translation.
 */

/**
 * Limit for the instructions of a compiled pattern. The master's default for `--offer_constraints_re2_max_mem`, 4 KB,
 * is enough for about 34, of which RE2 always needs a few; the default of `--offer_constraints_re2_max_program_size` is
 * 100.
 */
const MAX_INSTRUCTIONS = 24;

export interface Re2Pattern {
  readonly regex: string;
  /** The only text that it matches, if there is just one. */
  readonly text?: string;
}

interface Part {
  readonly regex: string;
  /** Maximum number of instructions. */
  readonly cost: number;
  /** The character that it matches, if there is just one. */
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
  // Greediness makes no difference to a full match.
  [/[*+?]\??/y, ([regex = '']) => ({ regex, cost: 2 })],
];

/** A dot matches half of a character above U+FFFF in JavaScript, but all of it in RE2: so any bytes, or only ASCII. */
const RULES: Record<'LIKE' | 'UNLIKE', readonly Rule[]> = {
  LIKE: [...COMMON, [/\.(?:[*+?]\??)?/y, () => ({ regex: '\\C*', cost: 2 })]],
  UNLIKE: [...COMMON, [/\./y, () => ({ regex: '[ -~]', cost: 1 })]],
};

/** @param pattern valid in JavaScript. @returns undefined if the pattern can't be translated */
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
