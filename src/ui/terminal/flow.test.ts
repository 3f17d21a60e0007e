import { expect, it } from 'vitest';
import { createFlow } from './flow.ts';

const KIB = 1024;

it('asks for a pause when too much is not drawn, again while it lasts, and for more when little is left', () => {
  const sent: string[] = [];
  let now = 0;
  const flow = createFlow(
    (type) => sent.push(type),
    () => now,
  );
  flow.begins(500 * KIB);
  expect(sent).toEqual([]);
  flow.begins(100 * KIB);
  flow.begins(100 * KIB);
  expect(sent).toEqual(['pause']);
  now = 1500;
  flow.begins(100 * KIB);
  expect(sent).toEqual(['pause', 'pause']);
  flow.ends(500 * KIB);
  expect(sent).toHaveLength(2);
  flow.ends(290 * KIB);
  flow.ends(10 * KIB);
  expect(sent).toEqual(['pause', 'pause', 'resume']);
  flow.begins(10 * KIB);
  flow.ends(10 * KIB);
  expect(sent).toHaveLength(3);
});
