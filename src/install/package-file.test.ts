import { expect, test } from 'vitest';
import { scripts } from '../../test/install/hosts.ts';
import { type PackageFile, packagesIndex, parseControl } from './package-file.ts';
import { applyScript } from './script/apply-script.ts';
import { findFilesScript, parseFoundFiles, sendFileScript } from './script/package-files-script.ts';
import { simulationScript } from './script/simulation-script.ts';

const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];
const CONTROL = "Package: tini\nVersion: 0.19-1\nFilename: /x\nsize: 1\nDescription: it's small\n more\n";
const file: PackageFile = { name: 'tini', version: '0.19-1', sha256: ONE, bytes: 7, control: CONTROL };
const pins = [
  { name: 'tini', version: '0.19-1', sha256: ONE },
  { name: 'runc', version: '1.1', sha256: TWO },
];

test('an index names each file by its SHA-256, and takes nothing else about files from their control fields', () => {
  const other = {
    ...file,
    name: 'runc',
    sha256: TWO,
    control: 'Package: runc\nVersion: 1.1\n\nPackage: evil',
  };
  expect(packagesIndex([file, other])).toBe(
    `Package: tini\nVersion: 0.19-1\nDescription: it's small\n more\nFilename: ./${ONE}.deb\nSize: 7\nSHA256: ${ONE}\n\n` +
      `Package: runc\nVersion: 1.1\nPackage: evil\nFilename: ./${TWO}.deb\nSize: 7\nSHA256: ${TWO}\n`,
  );
  expect(packagesIndex([])).toBe('');
});

test('control fields without a name or a version are not those of a package', () => {
  expect(parseControl(CONTROL)).toEqual({ name: 'tini', version: '0.19-1' });
  expect(parseControl('Package: tini\n')).toBeUndefined();
  expect(parseControl(' Package: tini\nVersion: 1')).toBeUndefined();
});

test('files that are sent are in the index of the simulation, which fetches the lists, and of the run', () => {
  const simulated = simulationScript(scripts, { packages: [{ name: 'tini' }], sources: [], files: [file] });
  expect(simulated).toContain(`Filename: ./${ONE}.deb`);
  expect(simulated).toMatch(/^FRESH=yes$/m);
  const host = { host: 'h1', items: [], basis: '', files: [file] };
  const options = { run: 'r', command: 'install', cluster: 'c', who: 'me' } as const;
  expect(applyScript(scripts, host, options)).toContain(`Filename: ./${ONE}.deb`);
});

test('an answer about files counts only for wanted packages with the control fields of that version', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const line = (sum: string, bytes: string, at: string, control: string) =>
    `${sum} ${bytes} ${base64(at)} ${base64(control)}`;
  const answer = [
    line(ONE, '7', '/var/cache/a b.deb', CONTROL),
    line(TWO, '9', '/x', 'Package: runc\nVersion: 1.2\n'),
    line(TWO, 'x', '/x', 'Package: runc\nVersion: 1.1\n'),
    line('3'.repeat(64), '9', '/x', 'Package: runc\nVersion: 1.1\n'),
    line(TWO, '9', '/x\0', 'Package: runc\nVersion: 1.1\n'),
    'Warning: something',
    '',
  ];
  expect(parseFoundFiles(answer.join('\n'), pins)).toEqual([{ ...file, path: '/var/cache/a b.deb' }]);
});

test('the scripts about files quote what hosts answer', () => {
  expect(findFilesScript(scripts, pins)).toContain(`tini ${ONE}`);
  expect(sendFileScript(scripts, "/a 'b'")).toContain(`send_file '/a '\\''b'\\'''`);
});
