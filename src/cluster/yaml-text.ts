/** Reads YAML with every scalar as text, and with the place of each value. */

import { isCollection, isMap, isPair, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { Complaint, SpecError } from './spec-errors.ts';

export interface YamlText {
  /** Text, lists and blocks; a key without a value has empty text. */
  readonly value: unknown;
  /** Syntax errors. If there are any, ignore the value. */
  readonly errors: readonly SpecError[];
  /** Adds the place of the complaint's value, of its key, or else of the nearest enclosing value. */
  locate(complaint: Complaint): SpecError;
}

const EMPTY = new Set(['~', 'null', 'Null', 'NULL']);

export function readYaml(text: string, file: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  visit(document, {
    Scalar(_key, node) {
      if (node.type === 'PLAIN' && EMPTY.has(String(node.value))) node.value = '';
    },
  });
  const at = (offset: number | undefined) => {
    if (offset === undefined) return {};
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const errors: SpecError[] = [...document.errors, ...document.warnings].map((error) => ({
    file,
    path: [],
    message: error.message,
    ...at(error.pos[0]),
  }));
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    // For example an alias without its anchor, or nested aliases that would fill the memory.
    errors.push({ file, path: [], message: error instanceof Error ? error.message : String(error) });
  }
  return {
    value: value ?? '',
    errors,
    locate: (complaint) => ({ file, ...complaint, ...at(offsetOf(document.contents, complaint)) }),
  };
}

function offsetOf(root: Node | null, { path, key }: Complaint): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const [i, step] of path.entries()) {
    if (!isCollection(node)) break;
    if (isMap(node)) {
      const pair = node.items.find((p) => isScalar(p.key) && String(p.key.value) === String(step));
      if (!isPair(pair)) break;
      const ofKey = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      const last = i === path.length - 1;
      node = pair.value;
      offset = (last && key ? undefined : rangeOf(node)) ?? ofKey ?? offset;
    } else {
      node = node.get(Number(step), true);
      offset = rangeOf(node) ?? offset;
    }
  }
  return offset;
}

/** Returns the offset of the node; undefined for a node that isn't in the text, for example a missing value. */
function rangeOf(node: unknown): number | undefined {
  if (!isScalar(node) && !isCollection(node)) return undefined;
  if (isScalar(node) && node.value === '' && node.source === '') return undefined;
  return node.range?.[0];
}
