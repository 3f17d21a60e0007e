/** Runs a command in a running container with input and output, and optionally a terminal. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { DockerConnection } from './connection.ts';
import { hijack } from './hijack.ts';
import { LogFrameDecoder, type OutputChunk } from './log-frames.ts';

/**
 * Keys by which Docker gives up a terminal's connection while the command continues. Docker has no setting without such
 * keys, and shells and editors need its default, Ctrl-P Ctrl-Q. Nobody types these two. More than two keys make Docker
 * 20.10 miscount what it has read.
 */
const DETACH_KEYS = 'ctrl-@,ctrl-^';

export interface InteractiveCommand {
  readonly argv: readonly string[];
  readonly tty: boolean;
  /** Lines `NAME=value`, added to the container's environment. */
  readonly env: readonly string[];
  readonly user?: string;
  readonly workingDirectory?: string;
  /** The size of the terminal. */
  readonly size?: { readonly columns: number; readonly rows: number };
}

export class InteractiveExec {
  /** Docker's id of the run. */
  readonly id: string;
  readonly #connection: DockerConnection;
  readonly #socket: Socket;
  readonly #tty: boolean;

  private constructor(connection: DockerConnection, id: string, socket: Socket, tty: boolean) {
    this.#connection = connection;
    this.id = id;
    this.#socket = socket;
    this.#tty = tty;
    // Reading throws the error, too.
    socket.on('error', () => {});
  }

  /** @throws DockerError if the container is not running (409), Error if Docker can't start the command */
  static async start(
    socketPath: string,
    container: string,
    command: InteractiveCommand,
  ): Promise<InteractiveExec> {
    const connection = new DockerConnection(socketPath);
    const { argv, tty, env, user, workingDirectory, size } = command;
    const console = size && { ConsoleSize: [size.rows, size.columns] };
    const body = {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: tty,
      DetachKeys: DETACH_KEYS,
      Cmd: argv,
      Env: env,
      ...(user !== undefined && { User: user }),
      ...(workingDirectory !== undefined && { WorkingDir: workingDirectory }),
      ...console,
    };
    const path = `/containers/${encodeURIComponent(container)}/exec`;
    const { Id } = (await connection.json({ method: 'POST', path, body })) as { Id: string };
    const start = `/v${await connection.version()}/exec/${encodeURIComponent(Id)}/start`;
    const options = { Detach: false, Tty: tty, ...console };
    const socket = await hijack(connection.socketPath, start, `run ${argv[0]}`, options);
    const exec = new InteractiveExec(connection, Id, socket, tty);
    // Docker before 23.0 ignores ConsoleSize.
    if (size) await exec.resize(size.columns, size.rows);
    return exec;
  }

  /** Writes to standard input. Resolves when the command has room for more, or has ended. */
  async write(bytes: Buffer): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable || socket.write(bytes)) return;
    const settled = new AbortController();
    const { signal } = settled;
    await Promise.race(
      ['drain', 'close'].map((event) => once(socket, event, { signal }).catch(() => undefined)),
    );
    settled.abort();
  }

  /** Ends standard input. Has no effect on a terminal. */
  endInput(): void {
    this.#socket.end();
  }

  /** Changes the size of the terminal. Has no effect if the command has ended. */
  async resize(columns: number, rows: number): Promise<void> {
    const path = `/exec/${encodeURIComponent(this.id)}/resize`;
    const query = { h: String(rows), w: String(columns) };
    await this.#connection.json({ method: 'POST', path, query }).catch(() => undefined);
  }

  /** Yields the output until the command has ended; all output of a terminal is stdout. */
  async *output(): AsyncGenerator<OutputChunk> {
    const decoder = new LogFrameDecoder();
    for await (const bytes of this.#socket as AsyncIterable<Buffer>) {
      if (this.#tty) yield { stream: 'stdout', bytes };
      else yield* decoder.push(bytes);
    }
  }

  /** Gives up the connection. The command continues. */
  close(): void {
    this.#socket.destroy();
  }
}
