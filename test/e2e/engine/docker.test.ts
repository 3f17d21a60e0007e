import { execa } from 'execa';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DockerError } from '../../../src/docker/connection.ts';
import { DockerEngine, type PullProgress } from '../../../src/docker/engine.ts';
import { BUSYBOX, makeTestImages, WITH_PORTS } from '../support/busybox-image.ts';
import { FakeRegistry } from '../support/fake-registry.ts';

const engine = new DockerEngine();
const LABEL = 'mesosup.test';
const MINE = String(process.pid);

beforeAll(makeTestImages);
afterEach(async () => {
  for (const { Id } of await engine.listContainers({ [LABEL]: MINE })) await engine.removeContainer(Id);
});

async function create(script: string, ...options: string[]): Promise<string> {
  const words = ['create', '--label', `${LABEL}=${MINE}`, ...options, BUSYBOX, '/bin/sh', '-c', script];
  return (await execa('docker', words)).stdout.trim();
}

async function outputOf(container: string, tty: boolean, follow: boolean) {
  const output = { stdout: '', stderr: '' };
  for await (const records of engine.logs(container, { tty, follow }))
    for (const { stream, bytes } of records) output[stream] += bytes.toString();
  return output;
}

describe('images', () => {
  test('report their exposed ports, or undefined if they do not exist', async () => {
    expect(Object.keys((await engine.inspectImage(WITH_PORTS))?.Config?.ExposedPorts ?? {}).sort()).toEqual([
      '53/udp',
      '7000/tcp',
      '9000/tcp',
    ]);
    expect(await engine.inspectImage('mesosup-test/absent:1')).toBeUndefined();
  });

  test('are pulled with their progress', async () => {
    const tar = await execa('tar', ['-C', '/etc', '-cf', '-', 'hostname'], { encoding: 'buffer' });
    const registry = await FakeRegistry.start(Buffer.from(tar.stdout));
    const image = `${registry.host}/test/image:3`;
    try {
      const progress: PullProgress[] = [];
      await engine.pullImage(image, (p) => progress.push(p));
      expect(await engine.inspectImage(image)).toBeDefined();
      const said = progress.map((p) => p.status);
      expect(said).toContain('Pull complete');
      expect(said.at(-1)).toBe(`Status: Downloaded newer image for ${image}`);
    } finally {
      await execa('docker', ['rmi', image], { reject: false });
      await registry.stop();
    }
  });

  test('that do not exist anywhere are an error with the reason', async () => {
    await expect(engine.pullImage('127.0.0.1:1/none', () => {})).rejects.toThrow(/connection refused/);
    await expect(engine.pullImage('127.0.0.1:1/none', () => {})).rejects.toThrow(DockerError);
  });
});

describe('containers', () => {
  test('from start to removal', async () => {
    const container = await create('echo out; echo err >&2; exit 7');
    expect(await engine.listContainers({ [LABEL]: MINE })).toMatchObject([
      { Id: container, State: 'created' },
    ]);
    const wait = engine.waitContainer(container, 'next-exit');
    await wait.registered;
    await engine.startContainer(container);
    expect(await wait.exit).toBe(7);
    expect((await engine.inspectContainer(container))?.State).toMatchObject({ Running: false, ExitCode: 7 });
    expect(await outputOf(container, false, true)).toEqual({ stdout: 'out\n', stderr: 'err\n' });
    expect(await engine.waitContainer(container, 'not-running').exit).toBe(7);
    const removed = engine.waitContainer(container, 'removed');
    await removed.registered;
    await Promise.all([engine.removeContainer(container), engine.removeContainer(container)]);
    await removed.exit;
    await engine.removeContainer(container);
    expect(await engine.inspectContainer(container)).toBeUndefined();
  });

  test('with a terminal have a single output stream', async () => {
    const container = await create('echo out; echo err >&2', '-t');
    await engine.startContainer(container);
    expect(await outputOf(container, true, true)).toEqual({ stdout: 'out\r\nerr\r\n', stderr: '' });
  });

  test('end by their signals', async () => {
    const polite = await create('trap "exit 3" TERM; echo up; while :; do sleep 0.1; done');
    const deaf = await create('trap "" TERM; echo up; while :; do sleep 0.1; done');
    for (const [container, code] of [
      [polite, 3],
      [deaf, 137],
    ] as const) {
      await engine.startContainer(container);
      for await (const records of engine.logs(container, { tty: false, follow: true })) {
        if (records.some(({ bytes }) => bytes.includes('up'))) break;
      }
      const exit = engine.waitContainer(container, 'not-running').exit;
      await engine.killContainer(container, 'SIGTERM');
      if (container === deaf) await engine.killContainer(container);
      expect(await exit).toBe(code);
      expect((await engine.inspectContainer(container))?.State.ExitCode).toBe(code);
    }
    await expect(engine.killContainer(deaf)).rejects.toMatchObject({ status: 409 });
  });

  test('appear in the events', async () => {
    const container = await create('exit 5');
    const abort = new AbortController();
    const events = engine.events(
      { type: ['container'], event: ['die'], label: [`${LABEL}=${MINE}`] },
      abort.signal,
    );
    const first = events.next();
    await engine.startContainer(container);
    expect((await first).value).toMatchObject({
      Action: 'die',
      Actor: { ID: container, Attributes: { exitCode: '5' } },
    });
    abort.abort();
    await expect(events.next()).rejects.toMatchObject({ name: 'AbortError' });
  });
});
