import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLines } from './json-lines.ts';

async function read(chunks: Buffer[]): Promise<unknown[]> {
  const out: unknown[] = [];
  const body = (async function* () {
    yield* chunks;
  })();
  for await (const value of jsonLines(body)) out.push(value);
  return out;
}

test('yields every object once, for any chunk sizes and line ends', async () => {
  const objects = fc.array(fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      objects,
      fc.constantFrom('\n', '\r\n', '\n\n'),
      fc.boolean(),
      fc.nat(50),
      async (list, end, last, step) => {
        const text = list.map((o) => JSON.stringify(o)).join(end) + (last ? end : '');
        const whole = Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0; at < whole.length; at += step + 1) chunks.push(whole.subarray(at, at + step + 1));
        expect(await read(chunks)).toEqual(list.map((o) => JSON.parse(JSON.stringify(o))));
      },
    ),
  );
});

test('a line that is not JSON is an error', async () => {
  await expect(read([Buffer.from('{"a":1}\nnonsense\n')])).rejects.toThrow(SyntaxError);
});
