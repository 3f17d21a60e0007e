import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UsageError } from '../../errors/mesosup-error.ts';
import { type Installed, resolvePlace, showPlace } from './place.ts';

let directory: string;
let installed: Installed;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-place-'));
  installed = { zkFile: path.join(directory, 'zk'), directory: '/var/lib/the-scheduler' };
});
afterEach(() => rm(directory, { recursive: true }));

it('prefers the flags to the location of an installed scheduler', async () => {
  expect(resolvePlace({ directory: '/d' }, installed)).toEqual({ directory: '/d' });
  expect(resolvePlace({}, installed)).toEqual({ directory: '/var/lib/the-scheduler' });
  await writeFile(installed.zkFile, 'zk://me:pw@h1,h2:2182/x\n');
  const zooKeeper = {
    servers: [
      { host: 'h1', port: 2181 },
      { host: 'h2', port: 2182 },
    ],
    credentials: 'me:pw',
    path: '/x',
  };
  expect(resolvePlace({}, installed)).toEqual({ zooKeeper });
  expect(resolvePlace({ zk: `file://${installed.zkFile}` }, installed)).toEqual({ zooKeeper });
  expect(resolvePlace({ directory: '/d' }, installed)).toEqual({ directory: '/d' });
  expect(
    showPlace({
      zooKeeper: resolvePlace({}, installed) && { ...zooKeeper, servers: [{ host: 'h', port: 1 }] },
    }),
  ).toBe('zk://me:***@h:1/x');
  expect(resolvePlace({ zk: 'zk://h/x' }, installed)).toMatchObject({ zooKeeper: { path: '/x' } });
});

it.each([
  [{ zk: 'zk://h/x', directory: '/d' }, 'both set'],
  [{ zk: 'h:2181' }, '--zk: not a ZooKeeper address'],
  [{ zk: 'file:///nowhere/at/all' }, '--zk: ENOENT'],
  [{ zk: 'zk://me:secret@h/x' }, 'would be visible in the process list'],
])('refuses %o', (flags, says) => {
  expect(() => resolvePlace(flags, installed)).toThrow(UsageError);
  expect(() => resolvePlace(flags, installed)).toThrow(says);
  expect(() => resolvePlace(flags, installed)).not.toThrow('secret');
});
