/** Drives a launched command from its first byte to its end, over SSH and locally alike. */

import { Readable, type Writable } from 'node:stream';
import type { RunOptions, RunResult } from './host.ts';
import type { Launch } from './launcher.ts';
import { Lines } from './lines.ts';
import { lost } from './lost.ts';
import { refusal } from './root-refusal.ts';

/** A command under way: a channel of a connection, or a process of this machine. */
export interface Command {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** How it ended, once both outputs are read to their end; both null when the connection was lost before. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Ends it as far as that can be done from here. */
  stop(): void;
}

export interface RunContext {
  readonly host: string;
  /** Who becomes root, for messages. */
  readonly user: string;
  /** Asked only when sudo asks; undefined when there is no password. */
  readonly password: () => Promise<string | undefined>;
  /** Told that the password was wrong. */
  readonly forget: () => void;
  /** The command line by which a person sees what a command does there. */
  readonly look: (command: string) => string;
  /**
   * How long the login shell may take to start the command, and then sudo to give a root shell, without the time a
   * person takes to answer; milliseconds.
   */
  readonly rootTimeout: number;
}

/** Output before the ready line is the login shell's or sudo's; more of it than this is no use to anyone. */
const MAX_PREAMBLE = 64 * 1024;

/** An output up to the ready line, and what comes after it. */
class Output {
  /** What came before the ready line. */
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
 * Becomes root, sends the script and its input, and gives what came of it.
 * @throws HostError 'login' when the login shell doesn't start it, 'root' when there is no way to root, 'lost' when the connection ended under way; the signal's
 * reason; the input's error
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
  const prompt = Buffer.from(launched.prompt);
  const input = options.input instanceof Readable ? options.input : undefined;
  const begun = Buffer.from(`${launched.begun}\n`);
  let hasBegun = false;
  let ready = false;
  let settled = false;
  /** How much had been said when sudo asked; 0 before. */
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
  const refuse = (reason: Parameters<typeof refusal>[1]) => fail(refusal(context, reason));
  const startTimer = () => {
    clearTimeout(timer);
    const kind = hasBegun ? 'silent' : 'login-silent';
    const seconds = context.rootTimeout / 1000;
    timer = setTimeout(() => refuse({ kind, seconds, said: said() }), context.rootTimeout);
  };
  /** What was written before root's shell answered, without what we had written ourselves. */
  const said = () =>
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
  // A prompt is the end of what was said; a login shell that echoes its command shows the words elsewhere.
  const answer = async () => {
    const said = stderrParts.preamble;
    if (ready || settled || said.length <= askedAt || !said.subarray(-prompt.length).equals(prompt)) return;
    if (askedAt > 0) {
      context.forget();
      return refuse({ kind: 'wrong-password' });
    }
    askedAt = said.length;
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
    (chunk) => err.push(chunk),
  );
  // The host may end the command while more is still being sent: how it ended is told by `ended` alone.
  stdin.on('error', () => {});
  stdout.on('data', (chunk: Buffer) => guard(() => stdoutParts.push(chunk), fail));
  stderr.on('data', (chunk: Buffer) => guard(() => stderrParts.push(chunk), fail));
  command.ended.then(({ code, signal }) => {
    settle();
    if (code === null && signal === null) {
      reject(lost(context.host));
    } else if (!ready) {
      if (stderrParts.preamble.includes(`${launched.noSudo}\n`)) refuse({ kind: 'no-sudo' });
      else refuse({ kind: hasBegun ? 'ended' : 'login-ended', code, said: said() });
    } else {
      guard(() => lines?.end(), reject);
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
