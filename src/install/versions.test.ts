import { expect, test } from 'vitest';
import { compareNumbers, meetsVersion, parseDebName } from './versions.ts';

test.each([
  ['1.11.0-0.7.1.ubuntu2404', '1.11.0-0.7.1', true],
  ['1.11.0-0.7.1', '1.11.0-0.7', true],
  ['1.11.0-0.71', '1.11.0-0.7', false],
  ['5:29.0.1-1~debian.12~bookworm', '29.0.1', true],
  ['5:29.0.1-1~debian.12~bookworm', '5:29.0.1', true],
  ['4:29.0.1-1', '5:29.0.1', false],
  ['20.10.24+dfsg1', '20.10.24', true],
  ['1.0', undefined, true],
  ['1.0', '1.0', true],
])('%s meets %s: %s', (installed, wanted, met) => {
  expect(meetsVersion(installed, wanted)).toBe(met);
});

test('compares numbers by value; missing numbers count as zero', () => {
  expect(compareNumbers('2.9', '2.28')).toBeLessThan(0);
  expect(compareNumbers('2.28', '2.28')).toBe(0);
  expect(compareNumbers('1:1.5', '1.5.0')).toBe(0);
  expect(compareNumbers('12', '11.9')).toBeGreaterThan(0);
});

test('reads the package and the version from a file name', () => {
  expect(parseDebName('https://x/pool/aventer-mesos_1.11.0-0.7.1.ubuntu2404_amd64.deb?a=b')).toEqual({
    name: 'aventer-mesos',
    version: '1.11.0-0.7.1.ubuntu2404',
  });
  expect(parseDebName('/tmp/docker-ce_5%3a27.0_amd64.deb')?.version).toBe('5:27.0');
  expect(parseDebName('/tmp/mesos.deb')).toBeUndefined();
});
