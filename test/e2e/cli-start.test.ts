/** The start of the program in a system-wide installation, and its requirements. */
import { chown, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './demo-cluster.ts';
import { ScriptedAgent } from './support/scripted-agent.ts';

const NOBODY = 65_534;
let directory: string;
let installed: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-installed-'));
  await execa('chmod', ['755', directory]);
  installed = path.join(directory, 'opt');
  await cp(path.join(root, 'dist'), installed, {
    recursive: true,
    dereference: true,
    filter: (file) => !file.endsWith('/cache'),
  });
  const file = path.join(installed, 'package.json');
  const pkg = JSON.parse(await readFile(file, 'utf8'));
  // The version format of a packed installation.
  await writeFile(file, JSON.stringify({ ...pkg, version: `${pkg.version}+0123456789ab` }));
  await mkdir(path.join(directory, 'home'));
  await chown(path.join(directory, 'home'), NOBODY, NOBODY);
});
afterAll(() => rm(directory, { recursive: true }));

/** Runs the program as a user who does not own the installation. */
function asNobody(args: string[], env: Record<string, string>) {
  return execa(path.join(installed, 'bin/mesosup'), args, {
    reject: false,
    uid: NOBODY,
    gid: NOBODY,
    cwd: '/',
    env: { PATH: process.env.PATH ?? '', ...env },
    extendEnv: false,
  });
}

test('prints the same version with and without oclif', async () => {
  const { stdout, stderr } = await asNobody(['--version'], {});
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^mesosup\/\d+\.\d+\.\d+\+0123456789ab linux-(x64|arm64) node-v\d+\.\d+\.\d+$/);
  expect((await asNobody(['--help'], {})).stdout).toContain(`VERSION\n  ${stdout}\n`);
});

test('prints help without loading a command', async () => {
  await execa('mv', ['lib/commands', 'lib/elsewhere'], { cwd: installed });
  try {
    const { stdout, stderr, exitCode } = await asNobody(['status', '--help'], {});
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout).toContain('$ mesosup status --json');
  } finally {
    await execa('mv', ['lib/elsewhere', 'lib/commands'], { cwd: installed });
  }
});

test('an executor subscribes before it loads the code for tasks', async () => {
  const agent = await ScriptedAgent.start();
  await execa('mv', ['lib/chunks', 'lib/elsewhere'], { cwd: installed });
  try {
    const worker = execa(path.join(installed, 'bin/node'), ['lib/executor.js'], {
      reject: false,
      cwd: installed,
      env: {
        MESOS_AGENT_ENDPOINT: agent.endpoint,
        MESOS_SLAVE_ID: 'agent-S0',
        MESOS_FRAMEWORK_ID: 'framework',
        MESOS_EXECUTOR_ID: 'docker',
        MESOS_DIRECTORY: path.join(directory, 'home'),
      },
    });
    await agent.subscription(1);
    expect(await worker).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('lib/chunks/worker-'),
    });
  } finally {
    await execa('mv', ['lib/elsewhere', 'lib/chunks'], { cwd: installed });
    await agent.stop();
  }
});

test("caches compiled code in the user's own cache directory, or nowhere", async () => {
  const home = path.join(directory, 'home');
  expect(await asNobody(['--help'], { HOME: home })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readdir(path.join(home, '.cache/mesosup/code'))).toHaveLength(1);
  for (const place of ['/proc', '/nonexistent', '']) {
    expect(await asNobody(['--help'], { HOME: place })).toMatchObject({ exitCode: 0, stderr: '' });
  }
  expect(await asNobody(['--help'], {})).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readdir(installed)).not.toContain('cache');
});

test('starts through links, from any directory', async () => {
  const links = path.join(directory, 'links');
  await execa('sh', [
    '-c',
    'mkdir "$1" && ln -s ../opt/bin/mesosup "$1/mesosup" && ln -s ../opt "$1/current"',
    'sh',
    links,
  ]);
  for (const file of [path.join(links, 'mesosup'), path.join(links, 'current/bin/mesosup')]) {
    expect((await execa(file, ['--version'])).stdout).toMatch(/^mesosup\//);
  }
  expect(
    (await execa('sh', ['-c', 'mesosup --version'], { env: { PATH: `${links}:${process.env.PATH}` } }))
      .exitCode,
  ).toBe(0);
  expect((await execa('sh', ['mesosup', '--version'], { cwd: links })).exitCode).toBe(0);
});
