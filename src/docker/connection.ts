/**
 * HTTP to the Docker engine over its Unix socket. An answer of 400 or more becomes a DockerError with the engine's
 * own words; no answer at all becomes a DockerUnavailableError that says what to do.
 */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { MesosupError } from '../errors/mesosup-error.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';

/** The engine refused a call. */
export class DockerError extends MesosupError {
  override name = 'DockerError';
  /** The HTTP status; 200 where the error came inside a stream that had begun well. */
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The engine can't be reached: it is not running, or this user may not talk to it. */
export class DockerUnavailableError extends MesosupError {
  override name = 'DockerUnavailableError';
}

/**
 * The engine's socket, from DOCKER_HOST where that is set.
 * @throws DockerUnavailableError where DOCKER_HOST names anything but a Unix socket
 */
export function dockerSocketPath(env: Readonly<Record<string, string | undefined>>): string {
  const host = env.DOCKER_HOST;
  if (host === undefined || host === '') return DEFAULT_SOCKET;
  if (host.startsWith('unix://')) return host.slice('unix://'.length);
  throw new DockerUnavailableError(
    `DOCKER_HOST is ${host}, but only an engine on this machine can be used: ` +
      `unset it, or set it to unix://${DEFAULT_SOCKET}`,
  );
}

export interface DockerRequest {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Without the version prefix. */
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

/** Requests to one engine, with paths prefixed by the API version the engine itself speaks. */
export class DockerConnection {
  readonly socketPath: string;
  #version: Promise<string> | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** The engine's own API version, as in `1.41`; asked once. */
  version(): Promise<string> {
    this.#version ??= this.#ask().catch((error: unknown) => {
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

  /** Sends a request and parses the JSON of its answer; undefined where the answer has no body. */
  async json(request: DockerRequest): Promise<unknown> {
    const text = await readAll(await this.open(request));
    return text === '' ? undefined : JSON.parse(text);
  }

  async #ask(): Promise<string> {
    const answer = await this.#send({ path: '/_ping' }, '');
    await readAll(answer);
    const version = answer.headers['api-version'];
    if (typeof version === 'string' && /^\d+\.\d+$/.test(version)) return version;
    throw new DockerUnavailableError(`${this.socketPath} answers, but is no Docker engine`);
  }

  #send(request: DockerRequest, prefix: string): Promise<IncomingMessage> {
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const query = request.query ? `?${new URLSearchParams(request.query)}` : '';
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        socketPath: this.socketPath,
        method: request.method ?? 'GET',
        path: `${prefix}${request.path}${query}`,
        headers: { Host: 'docker', ...(body !== undefined && { 'Content-Type': 'application/json' }) },
        agent: false,
        ...(request.signal && { signal: request.signal }),
      });
      outgoing.once('response', resolve);
      // A listener for good: after the answer, errors surface on its body and must not end the process here.
      outgoing.on('error', (error: NodeJS.ErrnoException) => reject(unavailable(error, this.socketPath)));
      outgoing.end(body);
    });
  }
}

function unavailable(error: NodeJS.ErrnoException, socketPath: string): Error {
  if (error.name === 'AbortError') return error;
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new DockerUnavailableError(
      `This user may not use Docker (${socketPath}: permission denied): run as root, ` +
        'or add the user to the group "docker" and log in again',
    );
  }
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') {
    return new DockerUnavailableError(
      `The Docker engine is not running (nothing listens on ${socketPath}): ` +
        'start it with "systemctl start docker", or "dockerd" where no init runs',
    );
  }
  return new DockerUnavailableError(`The Docker engine at ${socketPath} broke off: ${error.message}`);
}

function refusal(text: string, status: number): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // Some refusals are plain text.
  }
  return text.trim() === '' ? `the Docker engine answered ${status}` : text.trim();
}

/** @throws DockerUnavailableError where the answer breaks off */
async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  } catch (error) {
    throw new DockerUnavailableError(`The Docker engine's answer broke off: ${(error as Error).message}`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
