/** Follows a launched command to its end, both over SSH and locally. */

import { Readable, type Writable } from 'node:stream';
import { connectionLost } from './connection-lost.ts';
import type { RunOptions, RunResult } from './host.ts';
import type { Launch } from './launcher.ts';
import { Lines } from './lines.ts';
import { rootError } from './root-error.ts';

/** A running command: a channel of a connection, or a process of this machine. */
export interface Command {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles after both outputs have been read to their end. Both fields are null if the connection was lost before. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Ends the command if possible: over SSH, only its channel is closed. */
  stop(): void;
}

export interface RunContext {
  readonly host: string;
  /** The user who becomes root, for messages. */
  readonly user: string;
  /** Called only if sudo asks; undefined without a password. */
  readonly password: () => Promise<string | undefined>;
  /** Called when the password was wrong. */
  readonly forget: () => void;
  /** A command line with which a person can run a command on the host. */
  readonly debugCommand: (command: string) => string;
  /**
   * Milliseconds for the login shell to start the command, and again for sudo to start a root shell; without the time
   * that a person takes to answer.
   */
  readonly rootTimeout: number;
}

/** Maximum bytes kept of the output before the ready line, which the login shell or sudo writes. */
const MAX_PREAMBLE = 64 * 1024;

/** Splits an output at the ready line. */
class Output {
  /** The output before the ready line. */
  preamble = Buffer.alloc(0);
  #ready = false;
  readonly #mark: Buffer;
  readonly #onReady: () => void;
  readonly #onPreamble: () => void;
  readonly #onData: (chunk: Buffer) => void;

  constructor(mark: string, onPreamble: () => void, onReady: () => void, onData: (chunk: Buffer) => void) {
    this.#mark = Buffer.from(`${mark}\n`);
    this.#onPreamble = onPreamble;
    this.#onReady = onReady;
    this.#onData = onData;
  }

  push(chunk: Buffer): void {
    if (this.#ready) {
      this.#onData(chunk);
      return;
    }
    const seen = Buffer.concat([this.preamble, chunk]);
    const at = seen.indexOf(this.#mark);
    if (at < 0) {
      this.preamble = seen.subarray(-MAX_PREAMBLE);
      this.#onPreamble();
      return;
    }
    this.preamble = seen.subarray(0, at);
    this.#ready = true;
    this.#onReady();
    if (at + this.#mark.length < seen.length) this.#onData(seen.subarray(at + this.#mark.length));
  }
}

/**
 * Becomes root, sends the script and its input, and returns the result.
 * @throws HostError 'login' if the login shell doesn't start the command, 'root' if the user can't become root, 'lost'
 * if the connection ended during the run; the signal's reason; the input's error
 */
export function runScript(
  command: Command,
  launched: Launch,
  options: RunOptions,
  context: RunContext,
): Promise<RunResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
  const { stdin, stdout, stderr } = command;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const lines = options.onLine && new Lines(options.onLine);
  const errorLines = options.onErrorLine && new Lines(options.onErrorLine);
  const prompt = Buffer.from(launched.prompt);
  const input = options.input instanceof Readable ? options.input : undefined;
  const begun = Buffer.from(`${launched.begun}\n`);
  let hasBegun = false;
  let ready = false;
  let settled = false;
  /** Length of the output when sudo asked; 0 before. */
  let askedAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const settle = () => {
    settled = true;
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    input?.unpipe(stdin);
    input?.destroy();
  };
  const fail = (error: unknown) => {
    settle();
    reject(error);
    command.stop();
  };
  const onAbort = () => fail(options.signal?.reason);
  const refuse = (reason: Parameters<typeof rootError>[1]) => fail(rootError(context, reason));
  const startTimer = () => {
    clearTimeout(timer);
    const kind = hasBegun ? 'silent' : 'login-silent';
    const seconds = context.rootTimeout / 1000;
    timer = setTimeout(() => refuse({ kind, seconds, output: outputBeforeRoot() }), context.rootTimeout);
  };
  /** The output before root's shell answered, without the lines of our own scripts. */
  const outputBeforeRoot = () =>
    Buffer.concat([stdoutParts.preamble, stderrParts.preamble])
      .toString()
      .replaceAll(launched.prompt, '')
      .replaceAll(`${launched.begun}\n`, '');
  const noticeBeginning = () => {
    if (hasBegun || !stderrParts.preamble.includes(begun)) return;
    hasBegun = true;
    startTimer();
  };

  const send = () => {
    ready = true;
    clearTimeout(timer);
    stdin.write(launched.script);
    if (input) input.on('error', fail).pipe(stdin);
    else stdin.end(options.input);
  };
  // A prompt is the end of the output. A login shell that echoes its command also shows the prompt, but not at the end.
  const answer = async () => {
    const output = stderrParts.preamble;
    if (ready || settled || output.length <= askedAt || !output.subarray(-prompt.length).equals(prompt))
      return;
    if (askedAt > 0) {
      context.forget();
      return refuse({ kind: 'wrong-password' });
    }
    askedAt = output.length;
    clearTimeout(timer);
    const password = await context.password();
    if (settled) return;
    if (password === undefined) return refuse({ kind: 'no-password' });
    startTimer();
    stdin.write(`${password}\n`);
  };

  const stdoutParts = new Output(
    launched.ready,
    () => {},
    send,
    (chunk) => (lines ? lines.push(chunk) : out.push(chunk)),
  );
  const stderrParts = new Output(
    launched.ready,
    () => {
      noticeBeginning();
      void answer().catch(fail);
    },
    () => {},
    (chunk) => (errorLines ? errorLines.push(chunk) : err.push(chunk)),
  );
  // The host may end the command while data is still being sent. Only `ended` reports the outcome.
  stdin.on('error', () => {});
  stdout.on('data', (chunk: Buffer) => guard(() => stdoutParts.push(chunk), fail));
  stderr.on('data', (chunk: Buffer) => guard(() => stderrParts.push(chunk), fail));
  command.ended.then(({ code, signal }) => {
    settle();
    if (code === null && signal === null) {
      reject(connectionLost(context.host));
    } else if (!ready) {
      if (stderrParts.preamble.includes(`${launched.noSudo}\n`)) refuse({ kind: 'no-sudo' });
      else refuse({ kind: hasBegun ? 'ended' : 'login-ended', code, output: outputBeforeRoot() });
    } else {
      guard(() => {
        lines?.end();
        errorLines?.end();
      }, reject);
      const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
      resolve({ stdout: text(out), stderr: text(err), code, signal });
    }
  }, fail);
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });
  startTimer();
  return promise;
}

function guard(action: () => void, onError: (error: unknown) => void): void {
  try {
    action();
  } catch (error) {
    onError(error);
  }
}
