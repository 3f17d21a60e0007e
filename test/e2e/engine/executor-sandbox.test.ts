import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUSYBOX } from '../support/busybox-image.ts';
import { executorBench } from '../support/executor-bench.ts';
import { taskOf as networked } from '../support/executor-process.ts';

const bench = executorBench();

/** A task without a network, which these tests don't need. */
const taskOf: typeof networked = (id, script, more = {}) =>
  networked(id, script, { ...more, options: ['--network', 'none', ...(more.options ?? [])] });
/** Has a user `web` (33:34), which its containers run as. */
const WITH_USER = 'mesosup-test/user:1';
/** As WITH_USER, with a link to another file in the place of /etc/passwd. */
const LINKED_USERS = 'mesosup-test/linked-users:1';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-user-image-'));
  await mkdir(path.join(directory, 'etc'));
  await chmod(directory, 0o755);
  await writeFile(path.join(directory, 'etc/users'), 'root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/sh\n');
  await image(WITH_USER, 'COPY etc/users /etc/passwd');
  await rm(path.join(directory, 'etc/passwd'), { force: true });
  await symlink('users', path.join(directory, 'etc/passwd'));
  await image(LINKED_USERS, 'COPY etc /etc');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function image(name: string, copy: string): Promise<void> {
  await execa('docker', ['build', '-q', '-t', name, '-f', '-', directory], {
    input: `FROM ${BUSYBOX}\n${copy}\nUSER web\n`,
    env: { DOCKER_BUILDKIT: '0' },
  });
}

describe('the sandbox of a task', () => {
  test('is mounted, apart from the output and from other tasks', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    const script = 'cd "$MESOS_SANDBOX" && pwd && ls -a && echo data >made';
    agent.launch(taskOf('a', script, { env: { MESOS_SANDBOX: '/elsewhere' } }));
    await agent.update('a', 'TASK_FINISHED');
    expect(await executor.read('tasks/a/stdout')).toBe('/mnt/mesos/sandbox\n.\n..\n');
    expect(await executor.read('tasks/a/sandbox/made')).toBe('data\n');
  });

  test('belongs to the user of the image, whom its /etc/passwd names', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('u', 'echo mine >/mnt/mesos/sandbox/file', { image: WITH_USER }));
    await agent.update('u', 'TASK_FINISHED');
    const { uid, gid } = await stat(path.join(executor.sandbox, 'tasks/u/sandbox'));
    expect([uid, gid]).toEqual([33, 34]);
    expect((await stat(path.join(executor.sandbox, 'tasks/u/sandbox/file'))).uid).toBe(33);
  });

  test('stays root’s if /etc/passwd is a link, and stderr says so', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    agent.launch(taskOf('l', 'sleep 600', { image: LINKED_USERS }));
    await agent.update('l', 'TASK_RUNNING');
    expect(await executor.read('tasks/l/stderr')).toBe(
      'mesosup: the sandbox is not writable for the user "web" of the container: ' +
        "/etc/passwd of the image can't be read: it is not a regular file\n",
    );
    expect((await stat(path.join(executor.sandbox, 'tasks/l/sandbox'))).uid).toBe(0);
    agent.kill('l', 0);
    await agent.update('l', 'TASK_KILLED');
  });

  test('can’t lead the executor to other files by links', async () => {
    const { agent } = bench;
    const executor = await bench.start();
    const outside = path.join(directory, 'outside');
    await writeFile(outside, 'unchanged');
    const script = `cd /mnt/mesos/sandbox; for f in stdout stderr ../stdout state; do ln -s ${outside} $f; done; echo out; echo err >&2`;
    agent.launch(taskOf('h', script));
    await agent.update('h', 'TASK_FINISHED');
    expect(await readFile(outside, 'utf8')).toBe('unchanged');
    expect(await executor.read('tasks/h/stdout')).toBe('out\n');
    expect((await lstat(path.join(executor.sandbox, 'tasks/h/sandbox/stdout'))).isSymbolicLink()).toBe(true);
  });
});

describe('fetched files', () => {
  test('are in the sandbox of the task, with any name, and no link among them is followed', async () => {
    const { agent } = bench;
    const outside = path.join(directory, 'victim');
    await mkdir(outside);
    await writeFile(path.join(outside, 'file'), 'unchanged');
    const script =
      'cd /mnt/mesos/sandbox && cat -- -n "a b" .hidden state/x.json && for f in * .h* ..?*; do printf "%s\\n" "$f"; done';
    const executor = await bench.start({
      fetch: async (sandbox) => {
        await writeFile(path.join(sandbox, 'stdout'), 'log of the fetcher\n');
        for (const name of ['state', 'fetched']) await mkdir(path.join(sandbox, name));
        const texts = {
          '-n': 'dash',
          'a b': 'space',
          '.hidden': 'hidden',
          'state/x.json': 'state',
          'fetched/y': '',
          'new\nline': '',
        };
        for (const [name, text] of Object.entries(texts))
          await writeFile(path.join(sandbox, name), `${text}\n`);
        await symlink(outside, path.join(sandbox, 'tasks'));
        await symlink(path.join(outside, 'file'), path.join(sandbox, 'stderr'));
        await symlink(path.join(outside, 'file'), path.join(sandbox, 'executor.log'));
        await symlink(path.join(outside, 'missing'), path.join(sandbox, '..supervisor.pid'));
      },
    });
    agent.launch(taskOf('f', script, { image: WITH_USER }));
    await agent.update('f', 'TASK_FINISHED');
    expect(await executor.read('tasks/f/stderr')).toBe('');
    const names = [
      '-n',
      'a b',
      'executor.log',
      'fetched',
      'new\nline',
      'state',
      'stderr',
      'tasks',
      '.hidden',
    ];
    expect(await executor.read('tasks/f/stdout')).toBe(
      `dash\nspace\nhidden\nstate\n${[...names, '..supervisor.pid'].join('\n')}\n`,
    );
    expect(await executor.read('stdout')).toBe('log of the fetcher\n');
    const { uid } = await lstat(path.join(executor.sandbox, 'tasks/f/sandbox/state/x.json'));
    expect([uid, (await stat(path.join(outside, 'file'))).uid, (await stat(outside)).uid]).toEqual([
      33, 0, 0,
    ]);
    expect(await readdir(outside)).toEqual(['file']);
    expect(await readFile(path.join(outside, 'file'), 'utf8')).toBe('unchanged');
  });
});
