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

test('lists images before packages', () => {
  const images = [{ name: 'r.example:5000/a/redis:7', sha256: 'c'.repeat(64), bytes: 7 }];
  const found = read({ images });
  expect(found?.images).toEqual(images);
  expect(found && filesOf(found).map(({ bytes }) => bytes)).toEqual([9, 7, 5]);
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
  ['unknown content', { volumes: { a: 1 } }],
  ['an image without a tag', { images: [{ name: 'redis', sha256: one.sha256, bytes: 5 }] }],
  ['an image whose name is an option', { images: [{ name: '-x:1', sha256: one.sha256, bytes: 5 }] }],
  ['an image without a digest', { images: [{ name: 'redis:7', sha256: '', bytes: 5 }] }],
  ['an empty image', { images: [{ name: 'redis:7', sha256: one.sha256, bytes: 0 }] }],
])('refuses a manifest with %s', (_what, change) => {
  expect(() => read(change)).toThrow('field "');
});
