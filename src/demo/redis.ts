import { attachContainer } from '../docker/attach.ts';
import { createContainer, findDockerProgram } from '../docker/cli.ts';
import { dockerSocketPath } from '../docker/connection.ts';
import type { ContainerWait, DockerEngine } from '../docker/engine.ts';
import { MesosupError } from '../errors/mesosup-error.ts';
import type { Endpoint } from './scheduler-api.ts';
import type { Interval } from './timing.ts';

export interface RedisClientOptions {
  engine: DockerEngine;
  /** Value of the label `mesosup.cluster`, by which the clean-up finds the container. */
  cluster: string;
  /** The directory of the demo. */
  dir: string;
  image: string;
  endpoint: Endpoint;
}

type Attached = Awaited<ReturnType<typeof attachContainer>>;

/** `redis-cli` in a container of its own, like on the 2013 page. */
export class RedisClient {
  readonly endpoint: Endpoint;
  /** The times of Docker's create and start calls that have ended. */
  readonly calls: Interval[] = [];
  readonly #engine: DockerEngine;
  readonly #container: string;
  readonly #attached: Attached;
  readonly #wait: ContainerWait;
  #started: Promise<void> = Promise.resolve();

  private constructor(
    { engine, endpoint }: RedisClientOptions,
    container: string,
    attached: Attached,
    wait: ContainerWait,
  ) {
    this.#engine = engine;
    this.endpoint = endpoint;
    this.#container = container;
    this.#attached = attached;
    this.#wait = wait;
  }

  /** Creates the container and attaches to it. Redis need not answer yet. */
  static async create(options: RedisClientOptions): Promise<RedisClient> {
    const { engine, cluster, dir, image, endpoint } = options;
    const socketPath = dockerSocketPath(process.env);
    const calls: Interval[] = [];
    const command = ['redis-cli', '--no-raw', '-h', endpoint.host, '-p', String(endpoint.port)];
    const argv = ['create', '-i', '--label', `mesosup.cluster=${cluster}`, image, ...command];
    const container = await timed(calls, async () =>
      createContainer(await findDockerProgram(process.env.PATH), dir, socketPath, {
        argv,
        envFile: '',
        environment: {},
      }),
    );
    const attached = await attachContainer(socketPath, await engine.version(), container);
    const wait = engine.waitContainer(container, 'next-exit');
    await wait.registered;
    const client = new RedisClient(options, container, attached, wait);
    client.calls.push(...calls);
    return client;
  }

  /**
   * Starts redis-cli and sends it the lines. Call it once, and `end` afterwards.
   *
   * @returns the answers, one per line, as soon as they have arrived
   * @throws MesosupError with the output of a failed redis-cli
   */
  async ask(lines: readonly string[]): Promise<string[]> {
    this.#attached.sendInput(`${lines.join('\n')}\n`);
    this.#started = timed(this.calls, () => this.#engine.startContainer(this.#container));
    const answers = this.#readAnswers(lines.length);
    // The first answer may arrive before Docker's. A start that fails ends the wait for both.
    return await Promise.race([answers, this.#started.then(() => answers)]);
  }

  async #readAnswers(count: number): Promise<string[]> {
    const text = { stdout: '', stderr: '' };
    for await (const { stream, bytes } of this.#attached.output) {
      text[stream] += bytes.toString('utf8');
      const complete = text.stdout.split('\n').slice(0, -1);
      if (complete.length >= count) return complete;
    }
    const { host, port } = this.endpoint;
    throw new MesosupError(
      `redis-cli at ${host}:${port} failed with exit code ${await this.#wait.exit}: ${text.stderr || text.stdout}`,
    );
  }

  /** Ends redis-cli, and removes its container. */
  async end(): Promise<void> {
    await this.#started.catch(() => undefined);
    await this.#engine.removeContainer(this.#container);
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
