import { expect, test } from 'vitest';
import { DiskLimit, readDockerFeatures } from './docker-features.ts';

test.each([
  [{ InitBinary: 'docker-init', InitCommit: { ID: '' } }, true],
  [{ InitBinary: '/nothing', InitCommit: { ID: 'N/A' } }, false],
  [{}, false],
])('Docker that reports %j has an init program: %s', async (reported, hasInit) => {
  const engine = { info: async () => ({ LoggingDriver: 'local', NCPU: 2, DockerRootDir: '/', ...reported }) };
  expect(await readDockerFeatures(engine)).toEqual({ hasInit, logDriver: 'local', cpus: 2 });
});

test('a disk limit that the storage driver can’t enforce is noted for each task, and tried once', async () => {
  const limit = new DiskLimit();
  const tried: string[][] = [];
  const notes: string[] = [];
  const create = async (options: readonly string[]) => {
    tried.push([...options]);
    if (options.length > 0)
      throw new Error("--storage-opt is supported only for overlay over xfs with 'pquota'");
    return 'id';
  };
  for (const option of ['size', 'size', undefined]) {
    expect(await limit.create(option, create, (line) => notes.push(line))).toBe('id');
  }
  expect(tried).toEqual([['size'], [], [], []]);
  expect(notes).toHaveLength(2);
  expect(notes[0]).toMatch(/not enforced on this agent: --storage-opt is supported only/);
});

test('any other error of a create with a disk limit is the error', async () => {
  const create = () => Promise.reject(new Error('name is already in use'));
  await expect(new DiskLimit().create('size', create, () => {})).rejects.toThrow('already in use');
});
