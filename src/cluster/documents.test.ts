import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseSpec } from './spec.ts';
import { formatSpecError } from './spec-errors.ts';
import { specJsonSchema } from './spec-schema.ts';

const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/cluster.md'), 'utf8');
const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');

test.each(blocks)('an example of docs/cluster.md is valid: %j', (block) => {
  const result = parseSpec(block, 'docs');
  expect(result.ok ? [] : result.errors.map(formatSpecError)).toEqual([]);
});

test('docs/cluster.md documents every top-level key', () => {
  expect(blocks.length).toBeGreaterThan(1);
  const { properties } = specJsonSchema() as { properties: Record<string, unknown> };
  for (const key of Object.keys(properties)) expect(text).toMatch(new RegExp(`\\| \`${key}[\`.]`));
});
