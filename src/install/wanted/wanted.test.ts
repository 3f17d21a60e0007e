import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { describeWanted, scenarios, wantedOf } from '../../../test/install/scenarios.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../../../test/golden/install');

/** Compares with reviewed texts. UPDATE_GOLDEN=1 writes them again. */
test.each(Object.keys(scenarios))('%s has the files, packages and services of its golden text', (name) => {
  const file = path.join(GOLDEN, `${name}.txt`);
  const text = describeWanted(wantedOf(name));
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
});
