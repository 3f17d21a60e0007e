import fc from 'fast-check';
import { expect, test } from 'vitest';
import { taskFileName } from './task-directory.ts';

test.each([
  ['multidis_0-1385132345678', 'multidis_0-1385132345678'],
  ['a.b', 'a.b'],
  ['..', '%2E.'],
  ['../../etc', '%2E.%2F..%2Fetc'],
  ['a/b', 'a%2Fb'],
  ['100%', '100%25'],
  ['é', '%C3%A9'],
  ['', '%'],
])('%s', (id, name) => {
  expect(taskFileName(id)).toBe(name);
});

test('different ids have different names, and no name leaves its directory', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), fc.string({ unit: 'binary-ascii' }), (a, b) => {
      const name = taskFileName(a);
      expect(name).not.toMatch(/^\.|[/\0]/);
      if (Buffer.from(a).equals(Buffer.from(b))) expect(name).toBe(taskFileName(b));
      else expect(name).not.toBe(taskFileName(b));
    }),
  );
});
