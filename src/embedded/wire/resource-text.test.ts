import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountsOf } from '../../mesos/resources.ts';
import { formatDuration } from './duration.ts';
import {
  attributeModel,
  formatResources,
  mergeResources,
  parseAttributes,
  parseResources,
  resourceModel,
} from './resource-text.ts';

describe('parseResources', () => {
  it('reads scalars in three decimals and ranges', () => {
    expect(parseResources('cpus:4.00049; mem:4096 ;ports:[31000-31099, 31200-31200];')).toEqual([
      { name: 'cpus', type: 'SCALAR', scalar: { value: 4 } },
      { name: 'mem', type: 'SCALAR', scalar: { value: 4096 } },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 31_000, end: 31_099 },
            { begin: 31_200, end: 31_200 },
          ],
        },
      },
    ]);
  });

  it.each(['cpus', 'cpus:', 'cpus:four', 'cpus:-1', 'ports:[2-1]', 'ports:[x]', 'cpus(dev):1', ':4'])(
    'refuses %s',
    (text) => {
      expect(() => parseResources(text)).toThrow();
    },
  );

  it('parses formatted resources', () => {
    const scalar = fc.integer({ min: 1, max: 1e9 }).map((milli) => milli / 1000);
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), scalar, { minKeys: 1 }), (values) => {
        const resources = Object.entries(values).map(([name, value]) => ({
          name,
          type: 'SCALAR' as const,
          scalar: { value },
        }));
        expect(parseResources(formatResources(resources))).toEqual(resources);
      }),
    );
  });
});

describe('parseResources of JSON', () => {
  const disk = (source: object, more: object = {}) => ({
    name: 'disk',
    type: 'SCALAR',
    scalar: { value: 5 },
    disk: { source },
    ...more,
  });
  const path = { type: 'PATH', path: { root: '/d' } };

  it('reads further disks', () => {
    const ports = { name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 2 }] } };
    const resources = [ports, disk(path), disk({ type: 'MOUNT', mount: { root: 'm' } })];
    expect(parseResources(` ${JSON.stringify(resources)}`)).toEqual(resources);
    expect(parseResources(JSON.stringify([{ ...ports, role: '*' }]))).toEqual([ports]);
  });

  it.each([
    ['[{"name"', /not a JSON array/],
    [[5], /Not expecting a JSON number/],
    [[{ name: 'cpus' }], /Missing required fields: type/],
    [[{ name: 'cpus', type: 'SCALAR' }], /needs the type SCALAR with a value/],
    [[{ name: 'cpus', type: 'SCALAR', scalar: { value: -1 } }], /not negative/],
    [[{ name: 'a', type: 'SET', set: { item: ['b'] } }], /set is not supported/],
    [[disk(path, { role: 'dev' })], /only unreserved/],
    [[disk(path, { reservations: [{ role: 'dev' }] })], /reservations is not supported/],
    [[disk({ type: 'RAW' })], /PATH or MOUNT with a root/],
    [[disk({ type: 'MOUNT', path: { root: '/d' } })], /PATH or MOUNT with a root/],
    [[disk(path, { name: 'mem' })], /PATH or MOUNT with a root/],
    [[disk(path, { disk: { source: path, persistence: { id: 'x' } } })], /PATH or MOUNT with a root/],
  ])('refuses %j', (resources, why) => {
    const text = typeof resources === 'string' ? resources : JSON.stringify(resources);
    expect(() => parseResources(text)).toThrow(why);
  });
});

it('parseAttributes distinguishes numbers, ranges and text', () => {
  const attributes = parseAttributes('rack:a;level:3;ports:[1-2];url:http://x');
  expect(attributes.map((a) => a.type)).toEqual(['TEXT', 'SCALAR', 'RANGES', 'TEXT']);
  expect(attributeModel(attributes)).toEqual({ rack: 'a', level: 3, ports: '[1-2]', url: 'http://x' });
});

it('mergeResources sums equal resources and keeps the order', () => {
  const merged = mergeResources(
    parseResources('cpus:0.1;ports:[1-1]'),
    parseResources('mem:32;cpus:0.2;ports:[2-2]'),
  );
  expect(formatResources(merged)).toBe('cpus:0.3; ports:[1-2]; mem:32');
});

it('resourceModel shows every basic scalar, and ranges as text', () => {
  expect(resourceModel(amountsOf(parseResources('cpus:0.5;ports:[1-2,4-4]')))).toEqual({
    disk: 0,
    mem: 0,
    gpus: 0,
    cpus: 0.5,
    ports: '[1-2, 4-4]',
  });
});

it.each([
  [0, '0ns'],
  [250, '250ms'],
  [15_000, '15secs'],
  [90_000, '90secs'],
  [60_000, '1mins'],
  [900_000, '15mins'],
  [3_600_000, '1hrs'],
  [604_800_000, '1weeks'],
  [0.5, '500000ns'],
])('formatDuration(%d) is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
