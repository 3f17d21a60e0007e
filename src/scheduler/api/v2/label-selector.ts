/** Parses `label=` of `GET /v2/apps`: requirements separated by commas, such as `a==b, c in (d, e), f, g != h`. */

type Labels = Readonly<Record<string, string>>;
type Test = (labels: Labels) => boolean;

const NAME = '[A-Za-z0-9_./-]+';
const SET = new RegExp(`^(${NAME})\\s+(in|notin)\\s+\\(([^)]*)\\)$`);
const EQUAL = new RegExp(`^(${NAME})\\s*(==|!=)\\s*(.+)$`);
const EXISTS = new RegExp(`^${NAME}$`);

/** @returns undefined if the text is not a valid selector */
export function labelSelector(text: string): Test | undefined {
  const tests: Test[] = [];
  // Commas inside parentheses belong to a set.
  for (const part of text.split(/,(?![^(]*\))/).map((piece) => piece.trim())) {
    const test = testOf(part);
    if (!test) return undefined;
    tests.push(test);
  }
  return (labels) => tests.every((test) => test(labels));
}

function testOf(part: string): Test | undefined {
  const set = SET.exec(part);
  if (set) {
    const [, name = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => unescaped(value.trim())));
    return (labels) =>
      (Object.hasOwn(labels, name) && values.has(labels[name] ?? '')) === (operator === 'in');
  }
  const equal = EQUAL.exec(part);
  if (equal) {
    const [, name = '', operator, value = ''] = equal;
    return (labels) =>
      (Object.hasOwn(labels, name) && labels[name] === unescaped(value)) === (operator === '==');
  }
  return EXISTS.test(part) ? (labels) => Object.hasOwn(labels, part) : undefined;
}

function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, '$1');
}
