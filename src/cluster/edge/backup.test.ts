import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClusterBackup, filesIn, readBackup, restoreAll, restoreFiles, writeBackup } from './backup.ts';
import { seal, unseal } from './seal.ts';

const PHRASE = 'correct horse';
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-backup-'));
});
afterEach(() => rm(directory, { recursive: true }));
const at = (name: string) => path.join(directory, name);

/** Quick, for files whose encryption does not matter. */
const CHEAP = { N: 2 ** 10, r: 8, p: 1 };

async function made(): Promise<{ file: string; sealed: Buffer; backup: ClusterBackup }> {
  const backup = await content();
  const file = at('lab.backup');
  await writeBackup(file, backup, PHRASE);
  return { file, sealed: await readFile(file), backup };
}

async function content(): Promise<ClusterBackup> {
  await mkdir(at('state/ca'), { recursive: true });
  await writeFile(at('state/secrets.json'), '{"a":"TOP-SECRET"}');
  await writeFile(at('state/ca/key.pem'), Buffer.from([0, 255, 10]));
  await writeFile(at('state/run-2026.log'), 'log');
  await symlink('/etc/passwd', at('state/link'));
  return {
    cluster: 'lab',
    made: '2026-11-30T00:00:00.000Z',
    state: await filesIn(at('state')),
    spec: { 'cluster.yaml': Buffer.from('name: lab\n').toString('base64') },
    scheduler: Buffer.from('{}\n').toString('base64'),
  };
}

test('a backup contains the files of the state without logs and links, encrypted, for its owner only', async () => {
  const { file, sealed, backup } = await made();
  expect(Object.keys(backup.state).sort()).toEqual(['ca/key.pem', 'secrets.json']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(sealed.includes('TOP-SECRET')).toBe(false);
  expect(sealed.includes(Buffer.from('TOP-SECRET').toString('base64').slice(0, 12))).toBe(false);
  expect(await readBackup(file, sealed, PHRASE)).toEqual(backup);
  await expect(writeBackup(file, backup, PHRASE)).rejects.toThrow('exists already');
  expect((await readdir(directory)).sort()).toEqual(['lab.backup', 'state']);
});

test('restores all files with private permissions, or none', async () => {
  const backup = await content();
  await restoreFiles(at('new/lab'), backup.state);
  expect(await filesIn(at('new/lab'))).toEqual(backup.state);
  expect((await stat(at('new/lab'))).mode & 0o777).toBe(0o700);
  expect((await stat(at('new/lab/secrets.json'))).mode & 0o777).toBe(0o600);
  await expect(restoreFiles(at('new/lab'), backup.state)).rejects.toThrow('exists already');
  await expect(restoreFiles(at('other/lab'), { ...backup.state, 'ca/key.pem/x': '' })).rejects.toThrow(
    "can't be written",
  );
  expect(await readdir(at('other'))).toEqual([]);
});

test('tells a wrong pass phrase from a file that is cut short, damaged, or no backup', async () => {
  const { file, sealed } = await made();
  const reading = (bytes: Buffer, phrase = PHRASE) => readBackup(file, bytes, phrase);
  await expect(reading(sealed, 'wrong')).rejects.toThrow(`the pass phrase of ${file} is wrong`);
  for (const length of [sealed.length - 1, sealed.length >> 1, sealed.indexOf('\n') + 1]) {
    await expect(reading(sealed.subarray(0, length))).rejects.toThrow('is cut short');
  }
  await expect(reading(sealed.subarray(0, 20))).rejects.toThrow('is not a backup');
  await expect(reading(Buffer.from('{}\n'))).rejects.toThrow('is not a backup');
  await expect(reading(Buffer.concat([sealed, Buffer.from('x')]))).rejects.toThrow('is damaged');
  const flipped = Buffer.from(sealed);
  flipped[sealed.length - 20] = (sealed[sealed.length - 20] ?? 0) ^ 1;
  await expect(reading(flipped)).rejects.toThrow('is damaged');
  const later = Buffer.from(sealed.toString('latin1').replace('"format":1', '"format":2'), 'latin1');
  await expect(reading(later)).rejects.toThrow('a later release wrote it');
  const huge = Buffer.from(sealed.toString('latin1').replace('"N":131072', '"N":1073741824'), 'latin1');
  await expect(reading(huge)).rejects.toThrow('is damaged');
});

test('refuses paths that lead out of the directory', async () => {
  const backup = await content();
  for (const name of ['/etc/x', 'a/../../x']) {
    const text = Buffer.from(JSON.stringify({ format: 1, ...backup, state: { [name]: '' } }));
    await expect(readBackup('x', await seal(text, PHRASE, CHEAP), PHRASE)).rejects.toThrow('with the path');
  }
  expect((await unseal(await seal(Buffer.from('x'), 'é', CHEAP), 'e\u0301', 'x')).toString()).toBe('x');
});

test('refuses a name of a cluster that leads out of the directory of all clusters', async () => {
  const backup = await content();
  for (const cluster of ['../../.ssh', 'a\nb']) {
    const text = Buffer.from(JSON.stringify({ format: 1, ...backup, cluster }));
    await expect(readBackup('x', await seal(text, PHRASE, CHEAP), PHRASE)).rejects.toThrow(
      'contains a cluster with the name',
    );
  }
});

test('a header with costs that scrypt refuses is a damaged file, and no bug', async () => {
  const { file, sealed } = await made();
  for (const cost of ['"N":131073,"r":8,"p":1', '"N":1,"r":8,"p":1', '"N":2,"r":2097152,"p":16']) {
    const changed = Buffer.from(sealed.toString('latin1').replace('"N":131072,"r":8,"p":1', cost), 'latin1');
    await expect(readBackup(file, changed, PHRASE)).rejects.toThrow('is damaged');
  }
});

test('contains the files of the state that are links to another place', async () => {
  await mkdir(at('state'));
  await writeFile(at('elsewhere.json'), '{"a":1}');
  await symlink(at('elsewhere.json'), at('state/secrets.json'));
  await symlink('/etc/passwd', at('state/other'));
  expect(await filesIn(at('state'), ['secrets.json'])).toEqual({
    'secrets.json': Buffer.from('{"a":1}').toString('base64'),
  });
});

test('restores all directories, or none', async () => {
  const wrong = { a: '', 'a/b': '' };
  await expect(
    restoreAll([
      [at('one'), { x: '' }],
      [at('two'), wrong],
    ]),
  ).rejects.toThrow("can't be written");
  expect(await readdir(directory)).toEqual([]);
  await restoreAll([
    [at('one'), { x: '' }],
    [at('two'), { y: '' }],
  ]);
  expect((await readdir(directory)).sort()).toEqual(['one', 'two']);
});
