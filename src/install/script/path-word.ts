import { quote } from '../../hosts/quote.ts';
import { looseBytes } from './loose-text.ts';

/** A path as a word for the shell, even one that is not UTF-8 (see `looseText`). @throws TypeError for a NUL */
export function pathWord(path: string): string {
  if (path.isWellFormed()) return quote(path);
  const octal = [...looseBytes(path)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  // The x keeps line feeds at the end.
  return `"$(printf '${octal}x' | sed -z 's/x$//')"`;
}
