import { quote } from '../../hosts/quote.ts';
import { looseBytes } from './loose-text.ts';

/** Quotes a path for the shell, even if it is not UTF-8 (see `looseText`). @throws TypeError for a NUL */
export function pathWord(path: string): string {
  if (path === '') return quote(path);
  return path
    .split(/([\udc80-\udcff]+)/u)
    .map((part, index) => {
      if (index % 2 === 0) return part === '' ? '' : quote(part);
      const octal = [...looseBytes(part)].map((byte) => `\\${byte.toString(8)}`).join('');
      return `"$(printf '${octal}')"`;
    })
    .join('');
}
