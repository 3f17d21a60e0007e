/**
 * Runs commands in the containers of this executor's tasks, for people who use the scheduler. A message of the scheduler
 * invites the executor to connect; what to run comes over that connection. Loaded with the first invitation.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { DockerEngine } from '../docker/engine.ts';
import { InteractiveExec } from '../docker/interactive-exec.ts';
import {
  type ExecCommand,
  type Invitation,
  type Outcome,
  type Regret,
  readControl,
} from '../exec/control.ts';
import type { FrameSocket } from '../exec/frame-socket.ts';
import { CHANNELS, type Frame } from '../exec/frames.ts';
import type { ClientTls } from '../tls/settings.ts';
import { KILLED } from './domain/exit-text.ts';
import { dialScheduler, SessionRefusedError } from './exec-dial.ts';
import { endCommand, workerMark } from './exec-process.ts';
import type { Log } from './log.ts';
import { readSchedulers } from './schedulers.ts';

const POLL_MS = 50;
/** Time for Docker to notice the end of a container after the end of its processes. */
const CONTAINER_END_MS = 2000;

export interface ExecSessionsOptions {
  engine: DockerEngine;
  /** The file with the schedulers' addresses. */
  schedulersFile: string | undefined;
  /** @returns how to connect to agents and schedulers. May throw. */
  serviceTls: () => ClientTls;
  /** @returns why the agent's policy forbids exec; undefined if it does not */
  forbidden: () => string | undefined;
  /** @returns the id of the task's running container, or why there is none */
  containerOf: (taskId: string) => { container: string } | { problem: string };
  /** Tells the scheduler why this executor can't connect. */
  regret: (regret: Regret) => void;
  log: Log;
}

export class ExecSessions {
  readonly #options: ExecSessionsOptions;
  /** Ids of the sessions that are connecting or connected: an invitation is repeated until it is answered. */
  readonly #current = new Set<string>();

  constructor(options: ExecSessionsOptions) {
    this.#options = options;
  }

  /** Never throws. */
  async join(invitation: Invitation): Promise<void> {
    const { session } = invitation;
    if (this.#current.has(session)) return;
    this.#current.add(session);
    try {
      const schedulers = await readSchedulers(this.#options.schedulersFile);
      const connection = await dialScheduler(schedulers, this.#options.serviceTls(), invitation);
      await this.#serve(connection, session.slice(0, 8));
    } catch (error) {
      const reason = (error as Error).message;
      this.#options.log({ level: 'warning', msg: 'cannot join an exec session', reason });
      if (!(error instanceof SessionRefusedError)) this.#options.regret({ session, reason });
    } finally {
      this.#current.delete(session);
    }
  }

  async #serve(connection: FrameSocket, exec: string): Promise<void> {
    const { containerOf, forbidden, log } = this.#options;
    const frames = connection.frames();
    const command = await readStart(frames);
    if (!command) {
      await finish(connection, { type: 'error', message: 'The executor does not understand the scheduler' });
      return;
    }
    const why = forbidden();
    const found = why === undefined ? containerOf(command.task) : { problem: why };
    if ('problem' in found) {
      log({ msg: 'exec refused', exec, task: command.task, reason: found.problem });
      await finish(connection, { type: 'error', message: found.problem });
      return;
    }
    log({ msg: 'exec begins', exec, task: command.task, argv: command.argv, tty: command.tty });
    const begin = performance.now();
    const outcome = await this.#run(connection, frames, command, found.container);
    const seconds = Math.round(performance.now() - begin) / 1000;
    log({ msg: 'exec ended', exec, task: command.task, ...outcome, seconds });
    await finish(connection, outcome);
  }

  /** Never throws. */
  async #run(
    connection: FrameSocket,
    frames: AsyncGenerator<Frame>,
    command: ExecCommand,
    container: string,
  ): Promise<Outcome> {
    const { environment, ...rest } = command;
    const env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    env.push(workerMark());
    let exec: InteractiveExec | undefined;
    try {
      exec = await InteractiveExec.start(this.#options.engine.socketPath, container, { ...rest, env });
      const running = exec;
      let isConnected = true;
      const input = passInput(frames, running).finally(() => {
        isConnected = false;
        running.close();
      });
      input.catch(() => {});
      for await (const { stream, bytes } of running.output()) await connection.send(CHANNELS[stream], bytes);
      const outcome = await this.#outcome(running.id, command.task, container, () => isConnected);
      if (outcome) return outcome;
    } catch (error) {
      if (!exec) return { type: 'error', message: (error as Error).message };
    }
    await this.#kill(exec, container);
    return { type: 'error', message: 'The connection was lost, and the command was ended' };
  }

  /** @returns undefined if the client is gone before the command has ended, which may have closed its output before */
  async #outcome(
    exec: string,
    task: string,
    container: string,
    isConnected: () => boolean,
  ): Promise<Outcome | undefined> {
    const { engine } = this.#options;
    const ended: Outcome = { type: 'error', message: `Task '${task}' has ended` };
    while (isConnected()) {
      const info = await engine
        .inspectExec(exec, AbortSignal.timeout(CONTAINER_END_MS))
        .catch(() => undefined);
      // Docker forgets the command with its container.
      if (!info) return ended;
      if (info.Running || info.ExitCode === null) {
        await sleep(POLL_MS);
        continue;
      }
      const isOver = info.ExitCode === KILLED && (await this.#ends(container));
      return isOver ? ended : { type: 'exit', code: info.ExitCode };
    }
    return undefined;
  }

  /** True if the container ends within a short time. */
  async #ends(container: string): Promise<boolean> {
    for (const end = Date.now() + CONTAINER_END_MS; Date.now() < end; await sleep(POLL_MS)) {
      const info = await this.#options.engine.inspectContainer(container);
      if (!info?.State.Running) return true;
    }
    return false;
  }

  async #kill(exec: InteractiveExec, container: string): Promise<void> {
    exec.close();
    try {
      await endCommand(this.#options.engine, exec.id, container);
    } catch (error) {
      const reason = (error as Error).message;
      this.#options.log({ level: 'warning', msg: 'cannot end a command', container, reason });
    }
  }
}

async function readStart(frames: AsyncGenerator<Frame>): Promise<ExecCommand | undefined> {
  for (;;) {
    const { value: frame, done } = await frames.next();
    const message = frame?.channel === CHANNELS.control ? readControl(frame.content) : undefined;
    if (message?.type === 'start') return message.command;
    if (done || message?.type !== 'ping') return undefined;
  }
}

/** Passes input on until the scheduler closes the connection. */
async function passInput(frames: AsyncGenerator<Frame>, exec: InteractiveExec): Promise<void> {
  for await (const { channel, content } of frames) {
    if (channel === CHANNELS.stdin) {
      await exec.write(content);
      continue;
    }
    const message = channel === CHANNELS.control ? readControl(content) : undefined;
    if (message?.type === 'resize') await exec.resize(message.columns, message.rows);
    else if (message?.type === 'end') exec.endInput();
  }
}

async function finish(connection: FrameSocket, outcome: Outcome): Promise<void> {
  await connection.control(outcome);
  await connection.end();
}
