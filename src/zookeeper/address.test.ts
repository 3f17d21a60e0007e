import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../test/support/runs.ts';
import {
  AddressError,
  childPath,
  fileOfFlag,
  isZooKeeperAddress,
  parseZooKeeperAddress,
  showZooKeeperAddress,
} from './address.ts';

describe('a ZooKeeper address', () => {
  it.each([
    ['zk://h/mesos', { servers: [{ host: 'h', port: 2181 }], path: '/mesos' }],
    ['zk://h', { servers: [{ host: 'h', port: 2181 }], path: '/' }],
    [' zk://h/\n', { servers: [{ host: 'h', port: 2181 }], path: '/' }],
    [
      'zk://10.0.0.1:2182,zk-2.example:1, [fd00::1]:3/a/b/',
      {
        servers: [
          { host: '10.0.0.1', port: 2182 },
          { host: 'zk-2.example', port: 1 },
          { host: 'fd00::1', port: 3 },
        ],
        path: '/a/b',
      },
    ],
    [
      'zk://me:p@ss:w/rd@h:1/x',
      { servers: [{ host: 'h', port: 1 }], path: '/x', credentials: 'me:p@ss:w/rd' },
    ],
  ])('%s', (text, address) => {
    expect(parseZooKeeperAddress(text)).toEqual(address);
  });

  it.each([
    ['h:2181/mesos', 'not a ZooKeeper address'],
    ['zk://', 'server 1 of the list is not host:port'],
    ['zk:///mesos', 'server 1 of the list is not host:port'],
    ['zk://h,/mesos', 'server 2 of the list is not host:port'],
    ['zk://h:0/mesos', 'server 1 of the list is not host:port'],
    ['zk://h:65536/mesos', 'server 1 of the list is not host:port'],
    ['zk://a b/mesos', 'server 1 of the list is not host:port'],
    ['zk://fd00::1/mesos', 'server 1 of the list is not host:port'],
    ['zk://me@h/mesos', 'the text before the @ is not user:password'],
    ['zk://:pw@h/mesos', 'the text before the @ is not user:password'],
    ['zk://me:@h/mesos', 'the text before the @ is not user:password'],
    ['zk://h/a//b', 'the path after the servers is not a ZooKeeper path'],
    ['zk://h/a/../b', 'the path after the servers is not a ZooKeeper path'],
    ['zk://h//', 'the path after the servers is not a ZooKeeper path'],
    ['zk://h/a\u0000', 'the path after the servers is not a ZooKeeper path'],
  ])('refuses %j', (text, message) => {
    expect(() => parseZooKeeperAddress(text)).toThrow(AddressError);
    expect(() => parseZooKeeperAddress(text)).toThrow(message);
  });

  it('is never repeated in an error or shown with its password', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{8,20}$/), fc.boolean(), (password, broken) => {
        const text = `zk://me:${password}@h${broken ? ' x' : ''}/mesos`;
        let output: string;
        try {
          output = showZooKeeperAddress(parseZooKeeperAddress(text));
          expect(parseZooKeeperAddress(text).credentials).toBe(`me:${password}`);
        } catch (error) {
          output = String(error);
          expect(error).toBeInstanceOf(AddressError);
          expect(broken).toBe(true);
        }
        expect(output).not.toContain(password);
      }),
      { numRuns: runs(100) },
    );
    const shown = showZooKeeperAddress(parseZooKeeperAddress('zk://me:secret@h,[::1]:5/x'));
    expect(shown).toBe('zk://me:***@h:2181,[::1]:5/x');
  });
});

it('distinguishes an address, a file and a list', () => {
  expect(['zk://h', 'file:///x', 'h:5050'].map(isZooKeeperAddress)).toEqual([true, false, false]);
  expect(['file:///etc/x ', 'file://x', 'zk://h', '/etc/x'].map(fileOfFlag)).toEqual([
    '/etc/x',
    undefined,
    undefined,
    undefined,
  ]);
});

it('appends names to the root, too', () => {
  expect([childPath('/', 'a'), childPath('/x', 'a')]).toEqual(['/a', '/x/a']);
});
