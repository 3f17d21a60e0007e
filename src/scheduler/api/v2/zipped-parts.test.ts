import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Body, copyPieces, lengthOf } from '../body.ts';
import { newPart, type Part } from './parts.ts';
import { zipParts } from './zipped-parts.ts';

const part = fc
  .tuple(fc.string({ unit: 'binary' }), fc.nat(300), fc.boolean())
  .map(([text, times, ends]) => newPart(text.repeat(times), ends));

function join(body: Body): Buffer {
  return copyPieces(body, Buffer.alloc(lengthOf(body)));
}

function textOf(parts: readonly Part[]): Buffer {
  return join(parts);
}

it('unzips to the parts, also after some of them have changed', async () => {
  const change = fc.tuple(fc.nat(), fc.option(part, { nil: undefined }));
  await fc.assert(
    fc.asyncProperty(fc.array(part), fc.array(change, { maxLength: 5 }), async (first, changes) => {
      const parts = [...first];
      expect(gunzipSync(join(await zipParts(parts)))).toEqual(textOf(parts));
      for (const [at, other] of changes) {
        parts.splice(at % (parts.length + 1), 1, ...(other ? [other] : []));
        expect(gunzipSync(join(await zipParts(parts)))).toEqual(textOf(parts));
      }
    }),
  );
});

it('compresses a group again only if it has changed, and nearly as well as all at once', async () => {
  const parts = Array.from({ length: 64 }, (_, i) => newPart(`{"id":"/app${i}"}`.repeat(300), i % 8 === 7));
  const before = await zipParts(parts);
  const changed = parts.with(20, newPart('other'));
  const after = await zipParts(changed);
  expect(before).toHaveLength(10);
  // Without the header and the end.
  const same = before.slice(1, -1).map((blocks, i) => blocks === after[i + 1]);
  expect(same).toEqual([true, true, false, true, true, true, true, true]);
  expect(join(before).length).toBeLessThan(2 * gzipSync(textOf(parts), { level: 1 }).length);
});

it('compresses long parts', async () => {
  const parts = [newPart('x'.repeat(1 << 20)), newPart('y')];
  expect(gunzipSync(join(await zipParts(parts)))).toEqual(textOf(parts));
});
