/** Parses the output of `parts.sh`. */

import { looseText } from './loose-text.ts';

/** Parses alternating names and texts, each ended by a NUL. */
export function partsOf(plain: Buffer): Map<string, string> {
  const words = looseText(plain).split('\0');
  const parts = new Map<string, string>();
  for (let at = 0; at + 1 < words.length; at += 2) parts.set(words[at] ?? '', words[at + 1] ?? '');
  return parts;
}
