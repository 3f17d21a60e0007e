/** A demo from start to end, which must leave nothing behind. */
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { EXECUTOR_PATH } from '../../src/demo/executor-link.ts';
import { portsInUse } from '../../src/demo/ports.ts';
import { dir, engine, mesosup, root, state, until } from './demo-cluster.ts';

const CLUSTER = path.basename(dir);

/** All processes that run a built program or the executor's supervisor, or use the demo's directory; without those on test hosts. */
async function ourProcesses(): Promise<string[]> {
  const here = await readlink('/proc/self/ns/pid');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const where = await readlink(`/proc/${pid}/ns/pid`).catch(() => here);
      if (where !== here) return [];
      const ours =
        command.includes(`${root}/dist/`) || command.includes(EXECUTOR_PATH) || cwd.startsWith(dir);
      return ours ? [command.replaceAll('\0', ' ')] : [];
    }),
  );
  return found.flat();
}

/** A demo may leave nothing behind. */
async function remains(): Promise<Record<string, unknown>> {
  const ports = await portsInUse();
  return {
    processes: await ourProcesses(),
    containers: await engine.listContainers({ 'mesosup.cluster': CLUSTER }),
    directory: existsSync(dir),
    link: existsSync(EXECUTOR_PATH),
    ports: [5050, 8080].filter((port) => ports.has(port)),
  };
}
const NOTHING = { processes: [], containers: [], directory: false, link: false, ports: [] };

test('prints "7", exits with 0 and leaves nothing behind with --once', async () => {
  const { exitCode, stdout, stderr } = await mesosup('demo', '--once');
  expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('GET x answered "7"');
  expect(await remains()).toEqual(NOTHING);
});

test('prints one JSON object with --once --json', async () => {
  const { exitCode, stdout } = await mesosup('demo', '--once', '--json', '--agents', '1');
  expect(exitCode).toBe(0);
  const result = JSON.parse(stdout) as {
    answer: string;
    endpoints: unknown[];
    wallMs: number;
    dockerMs: number;
  };
  expect(result.answer).toBe('"7"');
  expect(result.endpoints).toHaveLength(2);
  expect(result.dockerMs).toBeGreaterThan(0);
  expect(result.dockerMs).toBeLessThan(result.wallMs);
  expect(await remains()).toEqual(NOTHING);
});

test('exits with 130 and leaves nothing behind after Ctrl-C at the table', async () => {
  const demo = execa(path.join(root, 'bin/mesosup'), ['demo'], { reject: false, stdin: 'ignore' });
  await new Promise<void>((resolve) => {
    demo.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('Ctrl-C')) resolve();
    });
  });
  demo.kill('SIGINT');
  const { exitCode, stdout } = await demo;
  expect(exitCode).toBe(130);
  expect(stdout).toMatch(/APP +INSTANCES +RUNNING\nmultidis +2 +2\n/);
  expect(await remains()).toEqual(NOTHING);
});

test('removes the demo after kill -9 of its command', async () => {
  const demo = execa(path.join(root, 'bin/mesosup'), ['demo'], { reject: false, stdin: 'ignore' });
  await until('its supervisor is up', async () => Object.keys((await state()).processes).length === 4);
  await until(
    'containers run',
    async () => (await engine.listContainers({ 'mesosup.cluster': CLUSTER })).length > 0,
  );
  demo.kill('SIGKILL');
  await demo;
  await until('the demo is gone', async () => !existsSync(dir));
  expect(await remains()).toEqual(NOTHING);
});

test('removes the remains of a demo after kill -9 of its supervisor with demo down', async () => {
  await mesosup('demo', '--detach');
  process.kill((await state()).supervisor.pid, 'SIGKILL');
  await sleep(50);
  const { stdout, exitCode } = await mesosup('demo', 'down');
  expect({ stdout, exitCode }).toEqual({
    stdout: expect.stringContaining('Removed the remains of a demo'),
    exitCode: 0,
  });
  expect(await remains()).toEqual(NOTHING);
  expect((await mesosup('demo', 'down')).stdout).toContain('No demo is running');
});

test('exits with 1, the reason and the remedy without a Docker engine', async () => {
  const { exitCode, stdout, stderr } = await execa(path.join(root, 'bin/mesosup'), ['demo', '--once'], {
    reject: false,
    env: { DOCKER_HOST: 'unix:///nonexistent.sock' },
  });
  expect(exitCode).toBe(1);
  expect(stdout + stderr).toMatch(/Docker is not running.*systemctl start docker/s);
  expect(existsSync(dir)).toBe(false);
});

test('exits with 1, the reason and the remedy for an image that can not be pulled, and leaves nothing behind', async () => {
  const { exitCode, stdout, stderr } = await mesosup('demo', '--once', '--image', 'no.such.invalid/redis');
  expect(exitCode).toBe(1);
  expect(stdout + stderr).toMatch(/no\.such\.invalid\/redis could not be pulled.*--image/s);
  expect(stderr).not.toContain('Warning');
  expect(await remains()).toEqual(NOTHING);
});

test('exits with 2 for an unknown flag or a value out of range', async () => {
  expect((await mesosup('demo', '--agents', '0')).exitCode).toBe(2);
  expect((await mesosup('demo', '--fly')).exitCode).toBe(2);
});
