/**
 * The part of the Docker Engine API that mesosup uses. Field names are Docker's. Containers are created by the CLI
 * instead (cli.ts), because users write its options.
 * Source: docs.docker.com/reference/api/engine, versions 1.30 (wait's conditions) to 1.41.
 */

import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DockerConnection, DockerError, DockerUnavailableError, dockerSocketPath } from './connection.ts';
import { splitImageName } from './image-name.ts';
import { jsonLines } from './json-lines.ts';
import { LogFrameDecoder, type OutputChunk } from './log-frames.ts';
import { apiTime, type LogRecord, LogRecordDecoder } from './log-records.ts';
import { encodeRegistryAuth, type RegistryAuth } from './registry-auth.ts';
import { readTarFile } from './tar-entry.ts';

/**
 * Docker sends each record of a log by itself. After a smaller part of a log, the reader waits this time, in which the
 * next records gather: to write them to a file one by one takes ten times as long.
 */
const GATHER_BYTES = 16 * 1024;
const GATHER_MS = 5;

export interface ImageInfo {
  Id: string;
  /** Absent if no port is exposed. Keys have the form `6379/tcp`. */
  Config?: { ExposedPorts?: Record<string, unknown> | null } | null;
  /** Names with tags. */
  RepoTags?: string[] | null;
  /** In bytes, with the layers that it shares with other images. */
  Size: number;
}

export interface ContainerInfo {
  Id: string;
  /** Ids of the commands of `docker exec` that run in it. */
  ExecIDs: string[] | null;
  /** `User` is that of the image or of `--user`; empty for root. */
  Config: { Tty: boolean; Labels: Record<string, string>; User: string; StopSignal?: string };
  Mounts: { Source?: string; Destination: string }[];
  HostConfig: {
    /** `bridge`, `host`, `none`, `container:ID`, or the name of a network. */
    NetworkMode: string;
    /** The log driver and its options, with the defaults of the engine. */
    LogConfig?: { Type: string; Config?: Record<string, string> | null };
    /** True with `--rm`. */
    AutoRemove: boolean;
    /** True if the first process is Docker's init. */
    Init?: boolean | null;
  };
  State: {
    Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
    Running: boolean;
    /** The first process, in the PID namespace of Docker's host. */
    Pid: number;
    ExitCode: number;
    OOMKilled: boolean;
    Error: string;
    StartedAt: string;
  };
  NetworkSettings: {
    Networks: Record<string, { NetworkID?: string; IPAddress?: string; GlobalIPv6Address?: string }>;
    /** Keys have the form `80/tcp`; null for a port that is exposed only. */
    Ports?: Record<string, { HostIp: string; HostPort: string }[] | null> | null;
  };
}

export interface EngineInfo {
  /** The program for an init process in containers. */
  InitBinary?: string;
  /** The ID is `N/A` if Docker can't run that program. */
  InitCommit?: { ID: string };
  /** The log driver of containers that do not choose one. */
  LoggingDriver: string;
  NCPU: number;
  /** The directory in which the engine stores images and containers. */
  DockerRootDir: string;
}

export interface NetworkDetails {
  /** For example `bridge` or `macvlan`. */
  Driver: string;
  IPAM?: { Config?: { Gateway?: string; Subnet?: string }[] | null };
}

export interface VolumeInfo {
  Driver: string;
  /** Options of the driver. With `device`, the driver `local` mounts it like `mount` does. */
  Options?: Record<string, string> | null;
}

export interface ContainerSummary {
  Id: string;
  State: ContainerInfo['State']['Status'];
  Labels: Record<string, string>;
  ImageID: string;
  /** Seconds since the epoch. */
  Created: number;
  Mounts?: readonly { Source?: string; Destination: string }[] | null;
}

/** One line of a pull's progress. */
export interface PullProgress {
  status?: string;
  /** The layer's id. */
  id?: string;
  /** In bytes. */
  progressDetail?: { current?: number; total?: number };
}

export interface DockerEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  timeNano: number;
}

/** A wait for the exit of a container. */
export interface ContainerWait {
  /** Resolves when Docker watches the container. */
  registered: Promise<void>;
  /** The exit code. Rejects with DockerUnavailableError if the connection to Docker is lost. */
  exit: Promise<number>;
}

/** A command that was run in a container. `Pid` is in the PID namespace of Docker's host; 0 before the command runs. */
export interface ExecInfo {
  Running: boolean;
  ExitCode: number | null;
  Pid: number;
}

/** All methods throw DockerError if Docker refuses, DockerUnavailableError if it is unreachable. */
export class DockerEngine {
  readonly #connection: DockerConnection;

  constructor(socketPath = dockerSocketPath(process.env)) {
    this.#connection = new DockerConnection(socketPath);
  }

  get socketPath(): string {
    return this.#connection.socketPath;
  }

  /** Returns the API version of the engine. The cheapest check that Docker is running. */
  version(): Promise<string> {
    return this.#connection.version();
  }

  async info(): Promise<EngineInfo> {
    return (await this.#connection.json({ path: '/info' })) as EngineInfo;
  }

  /** Returns undefined if the image is not on this machine. */
  async inspectImage(image: string, signal?: AbortSignal): Promise<ImageInfo | undefined> {
    return (await this.#jsonOrUndefined({
      path: `${imagePathOf(image)}/json`,
      ...(signal && { signal }),
    })) as ImageInfo | undefined;
  }

  /**
   * Pulls an image. Docker reports most errors inside a stream with status 200.
   * @param auth undefined for a public image
   */
  async pullImage(
    image: string,
    onProgress: (progress: PullProgress) => void,
    signal?: AbortSignal,
    auth?: RegistryAuth,
  ): Promise<void> {
    const { repository, tag } = splitImageName(image);
    const body = await this.#connection.open({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: repository, tag },
      ...(auth && { headers: { 'X-Registry-Auth': encodeRegistryAuth(auth) } }),
      ...(signal && { signal }),
    });
    for await (const line of jsonLines(readBody(body, signal))) {
      const progress = line as PullProgress & { error?: string };
      if (progress.error !== undefined) throw new DockerError(progress.error, 200);
      onProgress(progress);
    }
  }

  /**
   * Removes a name of an image, and the image with its last name. Succeeds if it is already gone. Status 409 if a
   * container uses the image.
   */
  async removeImage(image: string): Promise<void> {
    await this.#jsonOrUndefined({ method: 'DELETE', path: imagePathOf(image) });
  }

  /** Yields an archive of the image with its name, as `docker save` writes it. */
  async *saveImage(image: string): AsyncGenerator<Buffer> {
    yield* readBody(await this.#connection.open({ path: `${imagePathOf(image)}/get` }));
  }

  /** Lists all containers, running or not, that have all of the labels. An undefined value matches any value. */
  async listContainers(labels: Readonly<Record<string, string | undefined>>): Promise<ContainerSummary[]> {
    const label = Object.entries(labels).map(([k, v]) => (v === undefined ? k : `${k}=${v}`));
    const query = { all: 'true', filters: JSON.stringify({ label }) };
    return (await this.#connection.json({ path: '/containers/json', query })) as ContainerSummary[];
  }

  /** Returns undefined if the container does not exist. */
  async inspectContainer(container: string): Promise<ContainerInfo | undefined> {
    return (await this.#jsonOrUndefined({ path: `${pathOf(container)}/json` })) as ContainerInfo | undefined;
  }

  /**
   * Reads a regular file of a container, running or not; undefined if it does not exist. A link is not followed.
   * @throws MesosupError if it is a link or a directory, or longer than `limit` bytes
   */
  async readFile(container: string, file: string, limit: number): Promise<Buffer | undefined> {
    const request = { path: `${pathOf(container)}/archive`, query: { path: file } };
    const body = await this.#connection.open(request).catch(undefinedIfNotFound);
    return body && (await readTarFile(readBody(body), limit));
  }

  /**
   * Prepares a command to be run in a running container. Status 409 if the container is not running.
   * @param env lines `NAME=value`, added to the container's environment
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

  /** Runs a command that `createExec` prepared. @returns its output as it arrives, until it has ended */
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

  /** Has no effect on a running container. */
  async startContainer(container: string): Promise<void> {
    await this.#connection.json({ method: 'POST', path: `${pathOf(container)}/start` });
  }

  /**
   * Sends a signal; with the container's stop signal or SIGKILL, Docker also continues a paused container. Status 409 if
   * the container is not running.
   */
  async killContainer(container: string, signal = 'SIGKILL'): Promise<void> {
    await this.#connection.json({ method: 'POST', path: `${pathOf(container)}/kill`, query: { signal } });
  }

  /** Removes a container, running or not, with its anonymous volumes. Succeeds if it is already gone. */
  async removeContainer(container: string): Promise<void> {
    const query = { force: 'true', v: 'true' };
    try {
      await this.#jsonOrUndefined({ method: 'DELETE', path: pathOf(container), query });
    } catch (error) {
      const underWay =
        error instanceof DockerError && error.status === 409 && /in progress/.test(error.message);
      if (!underWay) throw error;
      await this.waitContainer(container, 'removed').exit.catch(undefinedIfNotFound);
    }
  }

  /**
   * Waits for a container.
   * @param until `not-running`: resolves immediately if it has ended or was not started yet; `next-exit`: the next time
   *   it ends, even if it is not started yet; `removed`: when it is gone.
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
      for await (const line of jsonLines(readBody(body, signal)))
        return (line as { StatusCode: number }).StatusCode;
      throw new DockerUnavailableError('Docker ended the wait for a container without an answer');
    });
    const registered = opened.then(() => {});
    // A caller may await only one of them.
    for (const promise of [exit, registered]) promise.catch(() => {});
    return { registered, exit };
  }

  /**
   * Yields the records of a container's output, as many at a time as have arrived; with `follow`, until the container
   * ends. Docker waits while the records are not read.
   * @param tty as in the container's Config: with a terminal all output is stdout
   * @param since only records of this time and later ones, see log-records.ts; undefined for all
   */
  async *logs(
    container: string,
    options: { tty: boolean; follow: boolean; since?: string | undefined; signal?: AbortSignal },
  ): AsyncGenerator<LogRecord[]> {
    const { tty, follow, since, signal } = options;
    const body = await this.#connection.open({
      path: `${pathOf(container)}/logs`,
      query: {
        ...{ stdout: 'true', stderr: 'true', timestamps: 'true', follow: String(follow) },
        ...(since !== undefined && { since: apiTime(since) }),
      },
      ...(signal && { signal }),
    });
    const decoder = new LogRecordDecoder(tty);
    for await (const chunk of readBody(body, signal)) {
      const records = decoder.push(chunk);
      let length = chunk.length;
      for (let more = body.read(); more !== null; more = body.read()) {
        records.push(...decoder.push(more));
        length += more.length;
      }
      yield records;
      if (follow && length < GATHER_BYTES) await sleep(GATHER_MS);
    }
    yield decoder.end();
  }

  /**
   * Yields Docker's events as they happen, until `signal` aborts. Throws if the connection to Docker is lost.
   * @param filters for example `{ type: ['container'], label: ['mesosup.cluster=demo'], event: ['die'] }`
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
    for await (const line of jsonLines(readBody(body, signal))) yield line as DockerEvent;
  }

  /**
   * Returns true if Docker has seen the container run out of memory. It may hear of that only after the exit, and then
   * its record of the container does not say so, but its events do.
   * @param withinMs how long to wait for a late event
   */
  async ranOutOfMemory(container: string, withinMs: number): Promise<boolean> {
    const filters = { type: ['container'], container: [container], event: ['oom'] };
    const until = ((Date.now() + withinMs) / 1000).toFixed(3);
    // Without a beginning, past events are not sent.
    const query = { filters: JSON.stringify(filters), since: '1', until };
    const body = await this.#connection.open({ path: '/events', query });
    for await (const _event of jsonLines(readBody(body))) return true;
    return false;
  }

  /** @param network an id or a name; returns undefined if the network does not exist */
  async inspectNetwork(network: string): Promise<NetworkDetails | undefined> {
    return (await this.#jsonOrUndefined({ path: `/networks/${encodeURIComponent(network)}` })) as
      | NetworkDetails
      | undefined;
  }

  /** Returns undefined if the volume does not exist. */
  async inspectVolume(volume: string): Promise<VolumeInfo | undefined> {
    return (await this.#jsonOrUndefined({ path: `/volumes/${encodeURIComponent(volume)}` })) as
      | VolumeInfo
      | undefined;
  }

  /** Returns the IPv4 address of the host on a bridge network; undefined for a missing network or another kind. */
  async networkGateway(network: string): Promise<string | undefined> {
    const config = (await this.inspectNetwork(network))?.IPAM?.Config?.find(({ Subnet }) =>
      Subnet?.includes('.'),
    );
    // Without a configured gateway, Docker reports only the subnet and uses its first address.
    return config?.Gateway ?? config?.Subnet?.replace(/(\d+)\/\d+$/, (_, last) => String(Number(last) + 1));
  }

  async #jsonOrUndefined(request: Parameters<DockerConnection['json']>[0]): Promise<unknown> {
    return this.#connection.json(request).catch(undefinedIfNotFound);
  }
}

function imagePathOf(image: string): string {
  return `/images/${image.split('/').map(encodeURIComponent).join('/')}`;
}

function pathOf(container: string): string {
  return `/containers/${encodeURIComponent(container)}`;
}

function undefinedIfNotFound(error: unknown): undefined {
  if (error instanceof DockerError && error.status === 404) return undefined;
  throw error;
}

/** Decodes the output of a container without a terminal. */
async function* frames(body: IncomingMessage, signal?: AbortSignal): AsyncGenerator<OutputChunk> {
  const decoder = new LogFrameDecoder();
  for await (const chunk of readBody(body, signal)) yield* decoder.push(chunk);
}

/** Reads a body. An interruption means that Docker is unavailable, unless the caller aborted. */
async function* readBody(body: IncomingMessage, signal?: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* body as AsyncIterable<Buffer>;
  } catch (error) {
    signal?.throwIfAborted();
    throw new DockerUnavailableError(`The connection to Docker was interrupted: ${(error as Error).message}`);
  } finally {
    body.destroy();
  }
}
