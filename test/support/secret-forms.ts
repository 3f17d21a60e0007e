/** Forms of a secret to search for where none may be. */

/** Plain, percent-encoded, as hex, and what is the same in the base64 of every longer text with the secret. */
export function formsOfSecret(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const base64 = [0, 1, 2].flatMap((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Without the groups at both ends, which also encode what stands beside it.
    const inside = text.slice(4, 4 + 4 * Math.floor((bytes.length - 3) / 3) - 4);
    return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const all = [
    secret,
    encodeURIComponent(secret),
    percent,
    percent.toUpperCase(),
    bytes.toString('hex'),
    ...base64,
  ];
  return [...new Set(all)];
}
