/** Parses the files of a probe's answer: a list, digests, and concatenated texts. */

import type { FileFacts } from '../host-facts.ts';
import { looseText, strictText } from './loose-text.ts';
import { hasText } from './probe-script.ts';

const TYPES: Readonly<Record<string, FileFacts['type']>> = { f: 'file', d: 'directory', l: 'link' };

interface Listed {
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly path: string;
  readonly facts: FileFacts;
}

export function parseFiles(list: Buffer, sums: Buffer, texts: Buffer): Record<string, FileFacts> {
  const digests = parseSums(looseText(sums));
  const listed = parseList(list);
  const withText = listed.filter(hasText);
  // If files changed between the list and the texts, the texts can't be separated.
  const isComplete = withText.reduce((sum, { size }) => sum + size, 0) === texts.length;
  const files: Record<string, FileFacts> = {};
  for (const { path, facts } of listed) {
    const sha256 = digests.get(path);
    files[path] = facts.type === 'file' && sha256 !== undefined ? { ...facts, sha256 } : facts;
  }
  let at = 0;
  for (const { path, size } of isComplete ? withText : []) {
    const bytes = texts.subarray(at, at + size);
    const text = strictText(bytes);
    const facts = files[path];
    if (facts)
      files[path] = text === undefined ? { ...facts, content: bytes.toString('base64') } : { ...facts, text };
    at += size;
  }
  return files;
}

/** Parses seven words for each file, each ended by a NUL: type, mode, owner, group, size, path, target. */
function parseList(list: Buffer): Listed[] {
  const words: string[] = [];
  for (let at = 0; at < list.length; ) {
    const end = list.indexOf(0, at);
    if (end < 0) break;
    words.push(looseText(list.subarray(at, end)));
    at = end + 1;
  }
  const listed: Listed[] = [];
  for (let at = 0; at + 7 <= words.length; at += 7) {
    const [type = '', mode = '', owner = '', group = '', size = '', path = '', target = ''] = words.slice(
      at,
      at + 7,
    );
    const known = TYPES[type] ?? 'other';
    const facts = { type: known, mode: mode.padStart(4, '0'), owner, group };
    listed.push({
      type,
      mode: Number.parseInt(mode, 8),
      size: Number(size),
      path,
      facts: known === 'link' ? { ...facts, target } : facts,
    });
  }
  return listed;
}

/** Parses the output of sha256sum, which escapes line feeds and backslashes in names, and marks such lines with `\`. */
function parseSums(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, escaped, digest = '', name = ''] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/s.exec(line) ?? [];
      if (digest === '') return [];
      const plain = escaped
        ? name.replace(/\\([\\nr])/g, (_all, c: string) => ({ n: '\n', r: '\r' })[c] ?? c)
        : name;
      return [[plain, digest] as const];
    }),
  );
}
