/**
 * Converts bytes that may not be UTF-8, like names of files, to strings and back without loss: each byte that is not
 * part of a character becomes a lone surrogate (U+DC80 to U+DCFF), which valid text never contains.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8; undefined when the bytes are not UTF-8. */
export function strictText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Decodes any bytes; see above. */
export function looseText(bytes: Uint8Array): string {
  const strictlyDecoded = strictText(bytes);
  if (strictlyDecoded !== undefined) return strictlyDecoded;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes[at] ?? 0);
    const character = length > 0 ? strictText(bytes.subarray(at, at + length)) : undefined;
    text += character ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += character === undefined ? 1 : length;
  }
  return text;
}

/** Encodes the result of `looseText` as the original bytes. */
export function looseBytes(text: string): Buffer {
  const parts = text.split(/([\udc80-\udcff])/u);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 ? Buffer.from([part.charCodeAt(0) & 0xff]) : Buffer.from(part))),
  );
}

/** Returns the length of a character with this first byte; 0 for an invalid first byte. */
function characterLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}
