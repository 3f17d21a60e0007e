/**
 * HTTP to Docker over its Unix socket. A status of 400 or more becomes a DockerError with Docker's message; no answer
 * becomes a DockerUnavailableError with a remedy.
 */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { MesosupError } from '../errors/mesosup-error.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';
/** Docker ignores it. For a name, Node compiles its pattern of IPv6 addresses, which takes 4 ms in each process. */
const ANY_HOST = '127.0.0.1';

/** Docker refused a call. */
export class DockerError extends MesosupError {
  override name = 'DockerError';
  /** The HTTP status; 200 if the error came inside a stream that had started successfully. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Docker is unreachable: it is not running, or this user has no permission. */
export class DockerUnavailableError extends MesosupError {
  override name = 'DockerUnavailableError';
}

/**
 * Returns the path of Docker's socket, from DOCKER_HOST if that is set.
 * @throws DockerUnavailableError if DOCKER_HOST is not a Unix socket
 */
export function dockerSocketPath(env: Readonly<Record<string, string | undefined>>): string {
  const host = env.DOCKER_HOST;
  if (host === undefined || host === '') return DEFAULT_SOCKET;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  throw new DockerUnavailableError(
    `DOCKER_HOST is ${host}, but mesosup can only use Docker on this machine. ` +
      `Unset it, or set it to unix://${DEFAULT_SOCKET}`,
  );
}

export interface DockerRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Without the version prefix. */
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

/** Sends requests to one Docker engine, with the engine's own API version as the prefix of paths. */
export class DockerConnection {
  readonly socketPath: string;
  #version: Promise<string> | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Returns the engine's API version, for example `1.41`; requested once. */
  version(): Promise<string> {
    this.#version ??= this.#fetchVersion().catch((error: unknown) => {
      this.#version = undefined;
      throw error;
    });
    return this.#version;
  }

  /**
   * Sends a request; resolves at the headers of an answer below 400. The body must be read or destroyed.
   * @throws DockerError | DockerUnavailableError
   */
  async open(request: DockerRequest): Promise<IncomingMessage> {
    const answer = await this.#send(request, `/v${await this.version()}`);
    const status = answer.statusCode ?? 0;
    if (status < 400) return answer;
    throw new DockerError(refusal(await readAll(answer), status), status);
  }

  /** Sends a request and parses the JSON of its answer; undefined if the answer has no body. */
  async json(request: DockerRequest): Promise<unknown> {
    const text = await readAll(await this.open(request));
    return text === '' ? undefined : JSON.parse(text);
  }

  async #fetchVersion(): Promise<string> {
    const answer = await this.#send({ path: '/_ping' }, '');
    await readAll(answer);
    const version = answer.headers['api-version'];
    if (typeof version === 'string' && /^\d+\.\d+$/.test(version)) return version;
    throw new DockerUnavailableError(`The server on ${this.socketPath} is not a Docker engine`);
  }

  #send(request: DockerRequest, prefix: string): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const query = request.query ? `?${new URLSearchParams(request.query)}` : '';
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        socketPath: this.socketPath,
        method: request.method ?? 'GET',
        path: `${prefix}${request.path}${query}`,
        headers: {
          Host: ANY_HOST,
          ...request.headers,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        },
        agent: false,
        ...(request.signal && { signal: request.signal }),
      });
      outgoing.once('response', resolve);
      // The listener stays: errors after the answer also occur on its body, and must not end the process here.
      outgoing.on('error', (error: NodeJS.ErrnoException) => reject(unavailable(error, this.socketPath)));
      outgoing.end(body);
    });
  }
}

function unavailable(error: NodeJS.ErrnoException, socketPath: string): Error {
  if (error.name === 'AbortError') return error;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new DockerUnavailableError(
      `This user can't use Docker (${socketPath}: permission denied). Run as root, ` +
        'or add the user to the group "docker" and log in again',
    );
  }
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new DockerUnavailableError(
      `Docker is not running (nothing listens on ${socketPath}). ` +
        'Start it with: systemctl start docker (without an init system: dockerd)',
    );
  }
  return new DockerUnavailableError(`The connection to Docker at ${socketPath} failed: ${error.message}`);
}

function refusal(text: string, status: number): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Some refusals are plain text.
  }
  return text.trim() === '' ? `Docker answered with status ${status}` : text.trim();
}

/** @throws DockerUnavailableError if the answer is interrupted */
async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    throw new DockerUnavailableError(`Docker's answer was interrupted: ${(error as Error).message}`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
