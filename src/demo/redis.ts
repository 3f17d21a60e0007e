import { attachContainer } from '../docker/attach.ts';
import { createContainer, findDockerProgram } from '../docker/cli.ts';
import { dockerSocketPath } from '../docker/connection.ts';
import type { DockerEngine } from '../docker/engine.ts';
import { MesosupError } from '../errors/mesosup-error.ts';
import type { Endpoint } from './scheduler-api.ts';
import type { Interval } from './timing.ts';

export interface Conversation {
  /** One answer per line. */
  answers: string[];
  /** The times of Docker's create and start calls. */
  calls: Interval[];
}

/**
 * Sends `lines` to a Redis instance with `redis-cli` in a container of `image`, like the 2013 page.
 *
 * @param cluster value of the label `mesosup.cluster`, by which the clean-up finds the container
 * @throws MesosupError with the output of a failed redis-cli
 */
export async function askRedis(
  engine: DockerEngine,
  {
    cluster,
    dir,
    image,
    endpoint,
    lines,
  }: { cluster: string; dir: string; image: string; endpoint: Endpoint; lines: string[] },
): Promise<Conversation> {
  const socketPath = dockerSocketPath(process.env);
  const calls: Interval[] = [];
  const client = ['redis-cli', '--no-raw', '-h', endpoint.host, '-p', String(endpoint.port)];
  const argv = ['create', '-i', '--label', `mesosup.cluster=${cluster}`, image, ...client];
  const container = await timed(calls, async () =>
    createContainer(await findDockerProgram(process.env.PATH), dir, socketPath, {
      argv,
      envFile: '',
      environment: {},
    }),
  );
  try {
    const { sendInput, output } = await attachContainer(socketPath, await engine.version(), container);
    const wait = engine.waitContainer(container, 'next-exit');
    await wait.registered;
    await timed(calls, () => engine.startContainer(container));
    sendInput(`${lines.join('\n')}\n`);
    const text = { stdout: '', stderr: '' };
    for await (const { stream, bytes } of output) text[stream] += bytes.toString('utf8');
    const code = await wait.exit;
    const answers = text.stdout.trim().split('\n');
    if (code !== 0 || answers.length !== lines.length) {
      throw new MesosupError(
        `redis-cli at ${endpoint.host}:${endpoint.port} failed with exit code ${code}: ${text.stderr || text.stdout}`,
      );
    }
    return { answers, calls };
  } finally {
    await engine.removeContainer(container);
  }
}

async function timed<T>(calls: Interval[], call: () => Promise<T>): Promise<T> {
  const start = performance.timeOrigin + performance.now();
  try {
    return await call();
  } finally {
    calls.push({ start, end: performance.timeOrigin + performance.now() });
  }
}
