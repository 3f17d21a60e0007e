import { expect, test } from 'vitest';
import { readStored } from '../../stored/file.ts';
import { type BundleManifest, bundleFile, bundlePins, filesOf } from './manifest.ts';

const one = {
  name: 'tini',
  version: '0.19-1',
  sha256: 'a'.repeat(64),
  bytes: 5,
  control: 'Package: tini\nVersion: 0.19-1\n',
};
const manifest: BundleManifest = {
  cluster: 'prod',
  payload: { version: '1', sha256: 'b'.repeat(64), bytes: 9 },
  systems: { 'debian-12-amd64': [one], 'debian-13-amd64': [one] },
  keys: {},
};
const read = (value: object) =>
  readStored({ format: 1, ...manifest, ...value }, bundleFile, (why) => new Error(why));
const withPackage = (change: object) => ({ systems: { 'debian-12-amd64': [{ ...one, ...change }] } });

test('reads a manifest, and lists each file once with the payload first', () => {
  expect(read({})).toEqual(manifest);
  expect(filesOf(manifest)).toEqual([
    { sha256: 'b'.repeat(64), bytes: 9 },
    { sha256: 'a'.repeat(64), bytes: 5 },
  ]);
  expect(bundlePins([one])).toEqual([{ name: 'tini', version: '0.19-1', sha256: one.sha256 }]);
});

test.each([
  ['a name that is no package', withPackage({ name: 'a b' })],
  ['control fields of another package', withPackage({ name: 'runc' })],
  ['control fields of another version', withPackage({ version: '0.18' })],
  ['a digest that is none', withPackage({ sha256: '../../etc' })],
  ['no size', withPackage({ bytes: 0 })],
  ['a part of a byte', withPackage({ bytes: 1.5 })],
  ['a system with a slash', { systems: { '../x': [one] } }],
  ['a payload without a digest', { payload: { ...manifest.payload, sha256: 'x' } }],
  ['an empty payload', { payload: { ...manifest.payload, bytes: 0 } }],
  ['no keys', { keys: undefined }],
  ['unknown content', { images: { a: 1 } }],
])('refuses a manifest with %s', (_what, change) => {
  expect(() => read(change)).toThrow('field "');
});
