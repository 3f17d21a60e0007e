/**
 * Pages of help, which the build makes from the commands, so that showing one loads neither oclif nor the command. The
 * layout is the one of oclif, and the build compares both.
 */

/** A text as it is, or a section with its header. */
export type HelpBlock =
  | string
  | { readonly header: string; readonly lines: string }
  /** Wrapped. */
  | { readonly header: string; readonly text: string }
  /**
   * The program, the command and its flags: wrapped, with further lines indented. The first line ends `early` columns
   * before the others, because oclif counts a longer text in place of the command.
   */
  | { readonly header: string; readonly usage: string; readonly early: number }
  /** Two columns. */
  | { readonly header: string; readonly list: List };

type List = readonly (readonly [left: string, right?: string])[];

export type HelpPage = readonly HelpBlock[];

interface Layout {
  /** Columns of the terminal. */
  readonly width: number;
  /** Headers are bold, placeholders of values underlined. */
  readonly styled: boolean;
}

/** Stands in a page for the program's version, which is known only when it runs. */
export const VERSION = '{version}';
/** Spaces before the text of a section. */
const INDENT = 2;
/** With more lines than this beside a name, each text begins below its name. */
const MAX_LINES = 5;

export function helpFile(words: readonly string[]): string {
  return `help/${['mesosup', ...words].join('.')}.json`;
}

/** @returns the page with the line ends that oclif writes after it */
export function helpText(page: HelpPage, layout: Layout, version: string): string {
  const blocks = page.map((block) => (typeof block === 'string' ? block : sectionText(block, layout)));
  return `${blocks.join('\n\n')}\n\n`.replace(VERSION, () => version);
}

function sectionText(section: Exclude<HelpBlock, string>, layout: Layout): string {
  return `${styled(section.header, 1, 22, layout)}\n${indented(bodyText(section, layout), INDENT)}`;
}

function bodyText(section: Exclude<HelpBlock, string>, layout: Layout): string {
  if ('lines' in section) return section.lines;
  if ('text' in section) return wrapped(section.text, layout.width - INDENT);
  if ('usage' in section) return usageText(section, layout.width);
  return listText(section.list, layout);
}

function usageText(
  { usage, early }: { readonly usage: string; readonly early: number },
  width: number,
): string {
  const room = width - INDENT;
  if (usage.length <= room - early) return wrapped(usage, room);
  const end = Math.max(0, usage.slice(0, room - early).lastIndexOf(' '));
  return `${usage.slice(0, end)}\n${indented(wrapped(usage.slice(end), room - INDENT), INDENT)}`;
}

function listText(list: List, layout: Layout): string {
  const widest = Math.max(...list.map(([left]) => left.length));
  const rows: string[] = [];
  for (const [left, right] of list) {
    const lines = wrapped(right ?? '', layout.width - widest - 2 * INDENT).split('\n');
    if (lines.length > MAX_LINES) return lowListText(list, layout);
    const gap = ' '.repeat(widest - left.length + INDENT);
    const below = lines.slice(1).map((line) => `\n${indented(line, widest + INDENT)}`);
    rows.push(right === undefined ? left.trim() : withValue(left, layout) + gap + lines[0] + below.join(''));
  }
  return rows.join('\n').trim();
}

/** The form for a narrow terminal. */
function lowListText(list: List, layout: Layout): string {
  const rows = list.map(([left, right]) => {
    const name = withValue(wrapped(left.trim(), layout.width - INDENT), layout);
    return right === undefined
      ? name
      : `${name}\n${indented(wrapped(right, layout.width - 2 * INDENT), 2 * INDENT)}`;
  });
  return rows.join('\n\n');
}

/** Underlines the placeholder of a value: `--file=FILE`. */
function withValue(name: string, layout: Layout): string {
  return name.replace(/^( *-[^=]*=)([^|\n]+)$/, (_, flag, value) => `${flag}${styled(value, 4, 24, layout)}`);
}

function styled(text: string, on: number, off: number, layout: Layout): string {
  return layout.styled ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

function indented(text: string, spaces: number): string {
  return text.replace(/^(?!\s*$)/gm, ' '.repeat(spaces));
}

function wrapped(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => wrappedLine(line, columns))
    .join('\n');
}

/** Breaks a line between words, and a word if it is longer than a line. */
function wrappedLine(line: string, columns: number): string[] {
  const rows = [''];
  for (const word of line.split(' ').filter((one) => one !== '')) {
    const row = rows.at(-1) ?? '';
    const begun = row === '' ? '' : `${row} `;
    const room = Math.max(0, columns - begun.length);
    const here = [begun + word.slice(0, room), ...pieces(word.slice(room), columns)];
    const below = pieces(word, columns);
    if (row !== '' && below.length < here.length) rows.push(...below);
    else rows.splice(-1, 1, ...here);
  }
  return rows.map((row) => row.trimEnd());
}

function pieces(word: string, columns: number): string[] {
  return word.match(new RegExp(`.{1,${Math.max(1, columns)}}`, 'g')) ?? [];
}
