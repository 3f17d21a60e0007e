/** The built `mesosup init`: questions in a terminal, flags without a terminal, and the file it writes. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseSpec } from '../../src/cluster/spec.ts';
import { docCommand } from '../support/docs.ts';
import { root, typed } from './demo-cluster.ts';

const program = path.join(root, 'bin/mesosup');
let directory: string;
const init = (...args: string[]) =>
  execa(program, ['init', ...args], { cwd: directory, reject: false, stdin: 'ignore' });

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-init-'));
});
afterEach(() => rm(directory, { recursive: true }));

const written = async (name = 'cluster.yaml') => {
  const text = await readFile(path.join(directory, name), 'utf8');
  const result = parseSpec(text, name);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return { text, cluster: result.value };
};

test('writes the cluster from the answers', async () => {
  const shown = await typed(
    `cd ${directory} && PATH=${root}/bin:$PATH; ${docCommand('README.md', 'mesosup init')}`,
    [
      { prompt: 'Name of the cluster', answer: 'prod\r' },
      { prompt: 'Hosts, separated by', answer: 'h1, h2 admin@h3:2222,h4\r' },
      { prompt: 'Masters (with', answer: '\r' },
      { prompt: 'Agents (hosts', answer: ' \r' },
      { prompt: 'SSH user', answer: 'me\r' },
      { prompt: 'SSH key', answer: '\r' },
      { prompt: 'Jump host', answer: '\r' },
      { prompt: 'ClusterD, the maintained', answer: '\r' },
      { prompt: 'Version of Mesos', answer: '1.11.0-0.9.0\r' },
      { prompt: 'docker.io', answer: '\u001b[B\r' },
    ],
  );
  expect(shown).toContain('cluster.yaml: cluster prod of 4 hosts');
  const { cluster } = await written();
  const master = ['zookeeper', 'master', 'scheduler'];
  expect(cluster).toMatchObject({
    name: 'prod',
    mesos: { kind: 'clusterd', version: '1.11.0-0.9.0' },
    docker: { kind: 'docker-ce' },
    hosts: [
      { name: 'h1', roles: master, connection: { user: 'me' } },
      { name: 'h2', roles: [...master, 'agent'] },
      { name: 'h3', roles: [...master, 'agent'], connection: { user: 'admin', port: 2222 } },
      { name: 'h4', roles: ['agent'] },
    ],
  });
});

test('writes no file and exits with 130 after Ctrl-C at a question', async () => {
  const shown = await typed(`cd ${directory}; ${program} init; echo "exit $?"; ls`, [
    { prompt: 'Name of the cluster', answer: '\u0003' },
    { prompt: 'exit ', answer: '' },
  ]);
  expect(shown).toContain('Interrupted at a question. Nothing was changed.\nexit 130');
  expect(shown).not.toMatch(/cluster\.yaml|prompt|SIGINT/);
});

test('refuses an existing file before it asks, and a key file that does not exist', async () => {
  await writeFile(path.join(directory, 'cluster.yaml'), 'mine');
  const early = await typed(`cd ${directory}; ${program} init; echo "exit $?"`, [
    { prompt: 'exit ', answer: '' },
  ]);
  expect(early).toBe(
    'cluster.yaml already exists: overwrite it with --force, or name another file with --file\nexit 2\n',
  );
  const asked = await typed(`cd ${directory}; ${program} init --hosts h1 --name x --force; echo "exit $?"`, [
    { prompt: 'SSH user', answer: '\r' },
    { prompt: 'SSH key', answer: 'none\r' },
    { prompt: 'There is no such file', answer: '\u0003' },
    { prompt: 'exit ', answer: '' },
  ]);
  expect(asked).toContain('exit 130');
  expect(await readFile(path.join(directory, 'cluster.yaml'), 'utf8')).toBe('mine');
});

test('takes blanks and commas alike in the lists of flags', async () => {
  expect((await init('--hosts', 'a b, c,d', '--agents', 'c d')).exitCode).toBe(0);
  const { cluster } = await written();
  expect(cluster.hosts.map(({ name, roles }) => [name, roles.includes('agent')])).toEqual([
    ['a', false],
    ['b', false],
    ['c', true],
    ['d', true],
  ]);
});

test('writes the cluster from flags without a terminal, and keeps an existing file', async () => {
  const { exitCode, stdout, stderr } = await init(
    '--hosts',
    'a,b,c',
    '--user',
    'me',
    '--mesos',
    'preinstalled',
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('a: zookeeper, master, scheduler, agent');
  const { text, cluster } = await written();
  expect(text.split('\n')[0]).toMatch(
    /^# yaml-language-server: \$schema=file:\/\/\/.*cluster\.schema\.json$/,
  );
  const schema = new URL(/schema=(\S+)/.exec(text)?.[1] ?? '');
  expect(JSON.parse(await readFile(schema, 'utf8'))).toMatchObject({ title: 'mesosup cluster' });
  expect(cluster.mesos).toEqual({ kind: 'preinstalled' });

  const again = await init('--local');
  expect(again.exitCode).toBe(2);
  expect(again.stderr).toContain('--force');
  expect((await written()).text).toBe(text);
  expect((await init('--local', '--force')).exitCode).toBe(0);
  expect((await written()).cluster.hosts[0]?.connection).toEqual({ kind: 'local' });
});

test.each([
  [['--no-input'], 'name the hosts with --hosts a,b,c, or --local'],
  [['--hosts', 'a,b', '--masters', 'a,b'], 'use an odd number'],
  [['--hosts', 'a', '--mesos', 'package'], 'mesos.from: is missing'],
  [['--hosts', 'a', '--agents', 'x'], '--agents names x, which is not among --hosts'],
  [
    ['--hosts', 'a', '--mesos', 'clustered'],
    '--mesos is "clustered": expected clusterd, mesosphere, package or preinstalled',
  ],
])('refuses %j with exit code 2, and writes nothing', async (args, message) => {
  const { exitCode, stderr } = await init(...args);
  expect(stderr.replaceAll(/\s+(›\s+)?/g, ' ')).toContain(message);
  expect(exitCode).toBe(2);
  await expect(written()).rejects.toThrow('ENOENT');
});

test('reports all errors of a spec together, with their positions, and exits with 2', async () => {
  await writeFile(
    path.join(directory, 'cluster.yaml'),
    'hosts:\n  - name: a\n    rols: [agent]\nprots: {}\n',
  );
  const { exitCode, stderr, stdout } = await execa(program, ['plan'], {
    cwd: directory,
    reject: false,
    stdin: 'ignore',
  });
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 2,
    stdout: '',
    stderr:
      'cluster.yaml:3:5: hosts[0].rols: unknown key; did you mean "roles"?\ncluster.yaml:4:1: prots: unknown key; did you mean "ports"?',
  });
});
