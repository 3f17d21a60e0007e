/**
 * The Docker Engine API, as much of it as mesosup uses. Field names are the engine's own. Containers are created
 * through the CLI instead (cli.ts), because users write its options.
 * Source: docs.docker.com/reference/api/engine, versions 1.30 (wait's conditions) to 1.41.
 */

import type { IncomingMessage } from 'node:http';
import { DockerConnection, DockerError, DockerUnavailableError, dockerSocketPath } from './connection.ts';
import { splitImageName } from './image-name.ts';
import { jsonLines } from './json-lines.ts';
import { LogFrameDecoder, type OutputChunk } from './log-frames.ts';

export interface ImageInfo {
  Id: string;
  /** Absent where nothing is exposed; keys as in `6379/tcp`. */
  Config?: { ExposedPorts?: Record<string, unknown> | null } | null;
}

export interface ContainerInfo {
  Id: string;
  Config: { Tty: boolean; Labels: Record<string, string> };
  State: {
    Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
    Running: boolean;
    ExitCode: number;
    OOMKilled: boolean;
    Error: string;
    StartedAt: string;
  };
  NetworkSettings: { Networks: Record<string, { IPAddress?: string; GlobalIPv6Address?: string }> };
}

export interface ContainerSummary {
  Id: string;
  State: ContainerInfo['State']['Status'];
  Labels: Record<string, string>;
  /** Seconds since the epoch. */
  Created: number;
}

/** One line of a pull's progress. */
export interface PullProgress {
  status?: string;
  /** The layer. */
  id?: string;
  progress?: string;
}

export interface DockerEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  timeNano: number;
}

/** The exit of a container that is waited for. */
export interface ContainerWait {
  /** The engine watches the container from here on. */
  registered: Promise<void>;
  /** The exit code. Rejects with DockerUnavailableError where the engine went away. */
  exit: Promise<number>;
}

/** A command that was run in a container. `Pid` is 0 before it runs, and as the engine's host counts. */
export interface ExecInfo {
  Running: boolean;
  ExitCode: number | null;
  Pid: number;
}

/** All methods throw DockerError where the engine refuses, DockerUnavailableError where it can't be reached. */
export class DockerEngine {
  readonly #connection: DockerConnection;

  constructor(socketPath = dockerSocketPath(process.env)) {
    this.#connection = new DockerConnection(socketPath);
  }

  get socketPath(): string {
    return this.#connection.socketPath;
  }

  /** The API version the engine speaks. The cheapest proof that it is there. */
  version(): Promise<string> {
    return this.#connection.version();
  }

  /** Undefined where the image is not on this machine. */
  async inspectImage(image: string): Promise<ImageInfo | undefined> {
    return (await this.#orAbsent({
      path: `/images/${image.split('/').map(encodeURIComponent).join('/')}/json`,
    })) as ImageInfo | undefined;
  }

  /** Pulls a public image. The engine reports most errors inside a stream that began with 200. */
  async pullImage(
    image: string,
    onProgress: (progress: PullProgress) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { repository, tag } = splitImageName(image);
    const body = await this.#connection.open({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: repository, tag },
      ...(signal && { signal }),
    });
    for await (const line of jsonLines(unbroken(body, signal))) {
      const progress = line as PullProgress & { error?: string };
      if (progress.error !== undefined) throw new DockerError(progress.error, 200);
      onProgress(progress);
    }
  }

  /** All containers, running or not, that carry each of these labels; a label without a value matches any. */
  async listContainers(labels: Readonly<Record<string, string | undefined>>): Promise<ContainerSummary[]> {
    const label = Object.entries(labels).map(([k, v]) => (v === undefined ? k : `${k}=${v}`));
    const query = { all: 'true', filters: JSON.stringify({ label }) };
    return (await this.#connection.json({ path: '/containers/json', query })) as ContainerSummary[];
  }

  /** Undefined where there is no such container. */
  async inspectContainer(container: string): Promise<ContainerInfo | undefined> {
    return (await this.#orAbsent({ path: `${pathOf(container)}/json` })) as ContainerInfo | undefined;
  }

  /**
   * Gets a command ready to be run in a running container. 409 where the container doesn't run.
   * @param env lines `NAME=value`, on top of the container's own environment
   * @returns the id of the command's run
   */
  async createExec(
    container: string,
    command: readonly string[],
    env: readonly string[],
    signal: AbortSignal,
  ): Promise<string> {
    const body = { AttachStdout: true, AttachStderr: true, Cmd: command, Env: env };
    const request = { method: 'POST', path: `${pathOf(container)}/exec`, body, signal } as const;
    return ((await this.#connection.json(request)) as { Id: string }).Id;
  }

  /** Runs a command that `createExec` made. @returns its output as it comes, until it has ended */
  async startExec(exec: string, signal: AbortSignal): Promise<AsyncGenerator<OutputChunk>> {
    const body = { Detach: false, Tty: false };
    const path = `/exec/${encodeURIComponent(exec)}/start`;
    const answer = await this.#connection.open({ method: 'POST', path, body, signal });
    return frames(answer, signal);
  }

  async inspectExec(exec: string, signal: AbortSignal): Promise<ExecInfo> {
    const path = `/exec/${encodeURIComponent(exec)}/json`;
    return (await this.#connection.json({ path, signal })) as ExecInfo;
  }

  /** Starting a container that runs changes nothing. */
  async startContainer(container: string): Promise<void> {
    await this.#connection.json({ method: 'POST', path: `${pathOf(container)}/start` });
  }

  /**
   * Asks the container to stop, with SIGTERM or the signal it was made with, and kills it when `graceSeconds`
   * (whole) are over. Resolves when it has stopped, also if it had before or is gone.
   */
  async stopContainer(container: string, graceSeconds: number): Promise<void> {
    const query = { t: String(graceSeconds) };
    await this.#orAbsent({ method: 'POST', path: `${pathOf(container)}/stop`, query });
  }

  /** Sends a signal. 409 where the container doesn't run. */
  async killContainer(container: string, signal = 'SIGKILL'): Promise<void> {
    await this.#connection.json({ method: 'POST', path: `${pathOf(container)}/kill`, query: { signal } });
  }

  /** Removes a container, running or not, with its anonymous volumes. One that is gone already is no error. */
  async removeContainer(container: string): Promise<void> {
    const query = { force: 'true', v: 'true' };
    try {
      await this.#orAbsent({ method: 'DELETE', path: pathOf(container), query });
    } catch (error) {
      const underWay =
        error instanceof DockerError && error.status === 409 && /in progress/.test(error.message);
      if (!underWay) throw error;
      await this.waitContainer(container, 'removed').exit.catch(absent);
    }
  }

  /**
   * Waits for a container.
   * @param until `not-running`: at once where it has ended or was not started yet; `next-exit`: the next time it
   *   ends, also where it is yet to be started; `removed`: when it is gone.
   */
  waitContainer(
    container: string,
    until: 'not-running' | 'next-exit' | 'removed',
    signal?: AbortSignal,
  ): ContainerWait {
    const opened = this.#connection.open({
      method: 'POST',
      path: `${pathOf(container)}/wait`,
      query: { condition: until },
      ...(signal && { signal }),
    });
    const exit = opened.then(async (body) => {
      for await (const line of jsonLines(unbroken(body, signal)))
        return (line as { StatusCode: number }).StatusCode;
      throw new DockerUnavailableError('The Docker engine ended a wait without an answer');
    });
    const registered = opened.then(() => {});
    // A caller may look at one of them only.
    for (const promise of [exit, registered]) promise.catch(() => {});
    return { registered, exit };
  }

  /**
   * A container's output from its first byte, and with `follow` as it comes, until the container ends.
   * @param tty as in the container's Config: with a terminal all output is stdout
   */
  async *logs(
    container: string,
    options: { tty: boolean; follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<OutputChunk> {
    const body = await this.#connection.open({
      path: `${pathOf(container)}/logs`,
      query: { stdout: 'true', stderr: 'true', follow: String(options.follow) },
      ...(options.signal && { signal: options.signal }),
    });
    if (!options.tty) yield* frames(body, options.signal);
    else for await (const bytes of unbroken(body, options.signal)) yield { stream: 'stdout', bytes };
  }

  /**
   * What happens in the engine, as it happens, until `signal` aborts or the engine goes away (which throws).
   * @param filters as in `{ type: ['container'], label: ['mesosup.cluster=demo'], event: ['die'] }`
   */
  async *events(
    filters: Readonly<Record<string, readonly string[]>>,
    signal?: AbortSignal,
  ): AsyncGenerator<DockerEvent> {
    const body = await this.#connection.open({
      path: '/events',
      query: { filters: JSON.stringify(filters) },
      ...(signal && { signal }),
    });
    for await (const line of jsonLines(unbroken(body, signal))) yield line as DockerEvent;
  }

  /** The IPv4 address of the host on a bridge network; undefined where the network is absent or of another kind. */
  async networkGateway(network: string): Promise<string | undefined> {
    const found = (await this.#orAbsent({ path: `/networks/${encodeURIComponent(network)}` })) as
      | { IPAM?: { Config?: { Gateway?: string; Subnet?: string }[] | null } }
      | undefined;
    const config = found?.IPAM?.Config?.find(({ Subnet }) => Subnet?.includes('.'));
    // Where nobody chose a gateway, the engine names only the subnet and takes its first address.
    return config?.Gateway ?? config?.Subnet?.replace(/(\d+)\/\d+$/, (_, last) => String(Number(last) + 1));
  }

  async #orAbsent(request: Parameters<DockerConnection['json']>[0]): Promise<unknown> {
    return this.#connection.json(request).catch(absent);
  }
}

function pathOf(container: string): string {
  return `/containers/${encodeURIComponent(container)}`;
}

function absent(error: unknown): undefined {
  if (error instanceof DockerError && error.status === 404) return undefined;
  throw error;
}

/** Output without a terminal. */
async function* frames(body: IncomingMessage, signal?: AbortSignal): AsyncGenerator<OutputChunk> {
  const decoder = new LogFrameDecoder();
  for await (const chunk of unbroken(body, signal)) yield* decoder.push(chunk);
}

/** A body whose breaking off is the engine's going away, unless the caller aborted. */
async function* unbroken(body: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* body as AsyncIterable<Buffer>;
  } catch (error) {
    signal?.throwIfAborted();
    throw new DockerUnavailableError(`The Docker engine broke off: ${(error as Error).message}`);
  } finally {
    body.destroy();
  }
}
