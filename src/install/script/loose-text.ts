/**
 * Names of files are bytes, not text. One that is not UTF-8 still has to come through a probe unchanged: each byte
 * that fits no character stands as a lone surrogate (U+DC80 to U+DCFF), which no real text holds.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text when the bytes are UTF-8; undefined when they are not. */
export function strictText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Any bytes as a string, UTF-8 where they are UTF-8. */
export function looseText(bytes: Uint8Array): string {
  const whole = strictText(bytes);
  if (whole !== undefined) return whole;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = characterLength(bytes[at] ?? 0);
    const character = length > 0 ? strictText(bytes.subarray(at, at + length)) : undefined;
    text += character ?? String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += character === undefined ? 1 : length;
  }
  return text;
}

/** The bytes `looseText` came from. */
export function looseBytes(text: string): Buffer {
  const parts = text.split(/([\udc80-\udcff])/u);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 ? Buffer.from([part.charCodeAt(0) & 0xff]) : Buffer.from(part))),
  );
}

/** How many bytes a character with this first byte has; 0 when none begins so. */
function characterLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}
