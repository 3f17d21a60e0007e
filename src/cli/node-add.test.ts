import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import NodeAdd from './commands/node/add.ts';

vi.mock('./change-command.ts', () => ({
  runChange: async (_command: unknown, _loaded: unknown, _flags: unknown, options: Options) => {
    await options.before();
    return {};
  },
}));
interface Options {
  readonly before: () => Promise<void>;
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-add-'));
  await writeFile(path.join(directory, 'cluster.yaml'), 'hosts: [ a, b, c ]\n');
});
afterEach(() => rm(directory, { recursive: true }));

const add = (...args: string[]) =>
  NodeAdd.run([...args, '--json', '--file', path.join(directory, 'cluster.yaml')], { root: process.cwd() });
const text = () => readFile(path.join(directory, 'cluster.yaml'), 'utf8');

test('may be repeated, but not with flags that would have no effect', async () => {
  await add('d', '--attribute', 'rack=x');
  const written = 'hosts: [ a, b, c, { name: d, attributes: { rack: x } } ]\n';
  expect(await text()).toBe(written);
  await add('d', '--attribute', 'rack=x', '--address', 'd');
  await add('d');
  await expect(add('d', '--attribute', 'rack=y')).rejects.toThrow('already has a host "d"');
  await expect(add('d', '--address', 'e')).rejects.toThrow('already has a host "d"');
  expect(await text()).toBe(written);
});
