import { expect, it } from 'vitest';
import { keptAddress } from './latch.ts';
import { refuseUnlessInto } from './run.ts';
import { TakeoverError } from './sources.ts';

const SERVER = { host: 'zk', port: 2181 };

it('gives up the leadership of an interrupted takeover only for the state that it was for', () => {
  const kept = keptAddress({ directory: '/var/lib/a' });
  expect(kept).toMatch(/^[0-9a-f]{16}\.mesosup\.invalid:80$/);
  expect(() => refuseUnlessInto({ directory: '/var/lib/b/../a' }, kept)).not.toThrow();
  expect(() => refuseUnlessInto({ directory: '/var/lib/b' }, kept)).toThrow(TakeoverError);
  const zooKeeper = { servers: [SERVER], path: '/mesosup' } as const;
  expect(() => refuseUnlessInto({ zooKeeper }, kept)).toThrow(/--release/);
  expect(() => refuseUnlessInto({ zooKeeper }, keptAddress({ zooKeeper }))).not.toThrow();
});
