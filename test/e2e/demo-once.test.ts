/** A demo from its start to its end, and what must not be left of it. */
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

/** Whatever runs one of the built programs, or the executor's supervisor, or works in the demo's directory; not on test hosts. */
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

/** What a demo may leave: nothing. */
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

test('demo --once answers "7", ends with 0 and leaves nothing', async () => {
  const { exitCode, stdout, stderr } = await mesosup('demo', '--once');
  expect({ exitCode, stderr }, stdout).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('GET x answered "7"');
  expect(await remains()).toEqual(NOTHING);
});

test('demo --once --json prints one object', async () => {
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

test('Ctrl-C while it shows the table: ends with 130 and leaves nothing', async () => {
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

test('killed with -9, the demo goes with it', async () => {
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

test('a demo whose supervisor was killed with -9 is cleared by demo down', async () => {
  await mesosup('demo', '--detach');
  process.kill((await state()).supervisor.pid, 'SIGKILL');
  await sleep(50);
  const { stdout, exitCode } = await mesosup('demo', 'down');
  expect({ stdout, exitCode }).toEqual({
    stdout: expect.stringContaining('remains are cleared'),
    exitCode: 0,
  });
  expect(await remains()).toEqual(NOTHING);
  expect((await mesosup('demo', 'down')).stdout).toContain('No demo is up');
});

test('without a Docker engine: exit 1, the reason and the remedy', async () => {
  const { exitCode, stdout, stderr } = await execa(path.join(root, 'bin/mesosup'), ['demo', '--once'], {
    reject: false,
    env: { DOCKER_HOST: 'unix:///nonexistent.sock' },
  });
  expect(exitCode).toBe(1);
  expect(stdout + stderr).toMatch(/Docker is not running.*systemctl start docker/s);
  expect(existsSync(dir)).toBe(false);
});

test('an image that is not here and can not be pulled: exit 1, the reason and the remedy, nothing left', async () => {
  const { exitCode, stdout, stderr } = await mesosup('demo', '--once', '--image', 'no.such.invalid/redis');
  expect(exitCode).toBe(1);
  expect(stdout + stderr).toMatch(/no\.such\.invalid\/redis is not here and could not be pulled.*--image/s);
  expect(stderr).not.toContain('Warning');
  expect(await remains()).toEqual(NOTHING);
});

test('a flag that does not exist or is out of range: exit 2', async () => {
  expect((await mesosup('demo', '--agents', '0')).exitCode).toBe(2);
  expect((await mesosup('demo', '--fly')).exitCode).toBe(2);
});
