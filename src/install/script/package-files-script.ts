/** Builds the scripts that find and send package files of a host's apt, and parses their answers. */

import { quote } from '../../hosts/quote.ts';
import { type PackageFile, type Pin, parseControl } from '../package-file.ts';
import { assemble, type HostScripts } from './host-scripts.ts';
import { looseText } from './loose-text.ts';

/** A package file on a host. */
export interface FoundFile extends PackageFile {
  /** Its path there. */
  readonly path: string;
}

const PARTS = ['environment.sh', 'package-files.sh'] as const;

export function findFilesScript(scripts: HostScripts, wanted: readonly Pin[]): string {
  const values = { WANTED: wanted.map(({ name, sha256 }) => `${name} ${sha256}`) };
  return assemble(scripts, PARTS, values, ['find_files']);
}

export function sendFileScript(scripts: HostScripts, path: string): string {
  return assemble(scripts, PARTS, { WANTED: '' }, [`send_file ${quote(path)}`]);
}

/** Ignores lines that are not an answer, and files of which the control fields name another package than wanted. */
export function parseFoundFiles(stdout: string, wanted: readonly Pin[]): FoundFile[] {
  return stdout.split('\n').flatMap((line): FoundFile[] => {
    const [sha256, bytes = '', encodedPath = '', encodedControl = ''] = line.split(' ');
    const pin = wanted.find((one) => one.sha256 === sha256);
    if (pin === undefined || !/^\d+$/.test(bytes)) return [];
    const control = decode(encodedControl);
    const path = decode(encodedPath);
    const own = parseControl(control);
    if (own?.name !== pin.name || own.version !== pin.version || path.includes('\0')) return [];
    return [{ ...own, sha256: pin.sha256, bytes: Number(bytes), control, path }];
  });
}

function decode(text: string): string {
  return looseText(Buffer.from(text, 'base64'));
}
