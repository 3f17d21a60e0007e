import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClusterState, stateHome } from './cluster-state.ts';

let directory: string;
let state: ClusterState;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-state-'));
  state = new ClusterState(path.join(directory, 'a/b'));
});
afterEach(() => rm(directory, { recursive: true }));

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

test('reading creates nothing; making secrets writes them once, readable by their owner only', async () => {
  expect(await state.secrets()).toBeUndefined();
  expect(await readdir(directory)).toEqual([]);
  const [one, two] = await Promise.all([state.makeSecrets(), state.makeSecrets()]);
  expect(one).toEqual(two);
  expect(await state.makeSecrets()).toEqual(one);
  expect(await modeOf(state.secretsFile)).toBe('600');
  expect(await modeOf(state.directory)).toBe('700');
  expect(await readdir(state.directory)).toEqual(['secrets.json']);
});

test('keeps the first certificates of concurrent runs', async () => {
  const authority = { generation: 1, certificate: 'c', key: 'k', until: 1 };
  const of = (certificate: string) => ({
    state: 'require' as const,
    authorities: [{ ...authority, certificate: `-----BEGIN X-----\n${certificate}\n-----END X-----\n` }],
    leaves: [],
  });
  await Promise.all([state.beginCertificates(of('a')), state.beginCertificates(of('b'))]);
  const first = await state.certificates();
  await state.beginCertificates(of('c'));
  expect(await state.certificates()).toEqual(first);
  expect(await readdir(state.directory)).toEqual(['certificates.json']);
});

test('refuses secrets that other users can read, with the command to run', async () => {
  await state.makeSecrets();
  await chmod(state.secretsFile, 0o640);
  await expect(state.secrets()).rejects.toMatchObject({ remedy: `Run: chmod 600 ${state.secretsFile}` });
  await chmod(state.secretsFile, 0o600);
  await chmod(state.directory, 0o755);
  await expect(state.makeSecrets()).rejects.toMatchObject({ remedy: `Run: chmod 700 ${state.directory}` });
});

test('refuses damaged secrets without showing them, and does not replace them', async () => {
  await state.makeSecrets();
  await writeFile(state.secretsFile, '{"agent": "hunter2');
  const error = await state.makeSecrets().then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toMatchObject({ name: 'MesosupError', message: `${state.secretsFile} is damaged` });
  expect(JSON.stringify(error)).not.toContain('hunter2');
});

test('stores the state where XDG says, unless that path is relative', () => {
  expect(stateHome({ XDG_STATE_HOME: '/x' }, '/home/a')).toBe('/x/mesosup');
  expect(stateHome({ XDG_STATE_HOME: 'x' }, '/home/a')).toBe('/home/a/.local/state/mesosup');
});

test('keeps the lock of versions; a damaged one is refused with a remedy that costs nothing', async () => {
  expect(await state.versionsLock()).toBeUndefined();
  const lock = {
    systems: new Map([
      ['debian-12-amd64', new Map([['a', { version: '1', sha256: 'a'.repeat(64), taken: 1 }]])],
    ]),
  };
  await state.keepVersionsLock(lock);
  expect(await state.versionsLock()).toEqual(lock);
  expect(await readdir(state.directory)).toEqual(['versions.lock']);
  expect(state.fileNames).toContain('versions.lock');
  const remedy = expect.stringContaining('the next install makes it again');
  for (const text of ['', '{"format":1', '[]', '{"format":1,"systems":{"x":{"y":{}}}}']) {
    await writeFile(state.lockFile, text);
    await expect(state.versionsLock()).rejects.toMatchObject({ path: state.lockFile, remedy });
  }
  await writeFile(state.lockFile, '{"format":2,"release":"9.9.9","systems":{}}');
  await expect(state.versionsLock()).rejects.toThrow('a later release wrote it');
  await state.forget();
  expect(await readdir(state.directory)).toEqual([]);
});

test('imports secrets of others beside its own, and only well-formed ones are read', async () => {
  const before = await state.makeSecrets();
  await state.importSecrets({ 'master/marathon': 'sesame 1', 'agent/nodes': 'x', operator: 'o'.repeat(20) });
  const after = await state.secrets();
  expect(after).toMatchObject({
    agent: before.agent,
    'master/marathon': 'sesame 1',
    operator: 'o'.repeat(20),
  });
  expect(await modeOf(state.secretsFile)).toBe('600');
  const stored = JSON.parse(await readFile(state.secretsFile, 'utf8')) as Record<string, string>;
  expect(stored).not.toHaveProperty('files');
  await writeFile(state.secretsFile, JSON.stringify({ ...stored, 'master/"': 'x', 'agent-http/a': '"' }));
  expect(Object.keys((await state.secrets()) ?? {}).filter((name) => name.includes('/'))).toEqual([
    'master/marathon',
    'agent/nodes',
  ]);
});
