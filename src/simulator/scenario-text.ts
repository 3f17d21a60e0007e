/** Reads a scenario file, in YAML or JSON. */

import { isNode, LineCounter, parseDocument } from 'yaml';
import { fieldErrors } from '../scheduler/domain/field-errors.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';

/** One line per problem, with its position. */
export type Problems = readonly string[];

/** @param file name of the file for problems */
export function readScenario(text: string, file: string): { scenario: Scenario } | { problems: Problems } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => {
    if (offset === undefined) return file;
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const problems = document.errors.map(({ message, pos }) => `${at(pos[0])}: ${message}`);
  if (problems.length > 0) return { problems };
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    return { problems: [`${file}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = scenarioSchema.safeParse(value);
  if (parsed.success) return { scenario: parsed.data };
  return {
    problems: fieldErrors(parsed.error).map(({ path, error }) => {
      // Finds the innermost enclosing node that exists in the text.
      for (let length = path.length; ; length -= 1) {
        const node = length > 0 ? document.getIn(path.slice(0, length), true) : document.contents;
        const offset = isNode(node) ? node.range?.[0] : undefined;
        const where = path.length > 0 ? `${path.join('.')} ` : 'it ';
        if (offset !== undefined || length === 0) return `${at(offset)}: ${where}${error}`;
      }
    }),
  };
}
