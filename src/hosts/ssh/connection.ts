/** The connection to one host. All its runs share it; all hosts behind a bastion share the bastion's connection. */

import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { connectionLost } from '../connection-lost.ts';
import { HostError } from '../host.ts';
import { Limit } from '../limit.ts';
import type { Command } from '../script-run.ts';
import { type Attempt, type HandshakeTools, handshake } from './handshake.ts';
import { forwardError, handshakeError, wasDropped } from './handshake-errors.ts';
import { startProxy } from './proxy-command.ts';
import { MAX_TRIES, pauseAfter } from './retries.ts';
import type { ConnectionPlan } from './route.ts';

/** sshd's default for MaxSessions. */
const MAX_SESSIONS = 10;
/** If sshd allows fewer sessions than this, the long sessions of a run can occupy all of them. */
const ENOUGH_SESSIONS = 4;
/** Milliseconds to wait for a session in that case, before another connection is opened. */
const SESSION_PATIENCE = 1000;

/** Number of attempts to open a session while no other is open, and the milliseconds between them. */
const MAX_ALONE = 15;
const ALONE_PAUSE = 200;

export class Connection {
  readonly plan: ConnectionPlan;
  readonly #via: Connection | null;
  readonly #tools: HandshakeTools;
  readonly #sessions = new Limit(MAX_SESSIONS);
  /** Handshakes with hosts behind this one. */
  readonly #handshakes: Limit;
  #client: Promise<Client> | null = null;
  #closed = false;
  #next: Connection | null = null;

  /** @param handshakes limits the hosts that are being connected to through this one */
  constructor(plan: ConnectionPlan, via: Connection | null, handshakes: number, tools: HandshakeTools) {
    this.plan = plan;
    this.#via = via;
    this.#tools = tools;
    this.#handshakes = new Limit(handshakes);
  }

  /** Starts a command as soon as a session is free. @throws HostError, or the error of an aborted prompt */
  async exec(command: string): Promise<Command> {
    for (let alone = 1; ; ) {
      const leave = await this.#enterSession();
      if (!leave) return this.#secondConnection().exec(command);
      try {
        return await this.#startCommand(command, leave);
      } catch (error) {
        leave();
        if (!isRefusal(error)) throw error;
        // sshd allows fewer sessions than its default: wait until one of our sessions ends.
        const others = this.#sessions.active;
        if (others === 0) {
          // sshd may still count a session that has just ended.
          if (alone++ === MAX_ALONE) throw this.#sessionError(error);
          await wait(ALONE_PAUSE);
          continue;
        }
        this.#sessions.lower(others);
      }
    }
  }

  /** @returns a function that frees the session; undefined if sshd allows few sessions and none becomes free soon */
  async #enterSession(): Promise<(() => void) | undefined> {
    const entering = this.#sessions.enter();
    if (this.#sessions.most >= ENOUGH_SESSIONS) return entering;
    const ended = new AbortController();
    const patience = wait(SESSION_PATIENCE, undefined, { signal: ended.signal }).catch(() => undefined);
    const leave = await Promise.race([entering, patience]);
    ended.abort();
    if (!leave) void entering.then((late) => late());
    return leave;
  }

  /** Opens a further connection, because a session may last as long as the complete run. */
  #secondConnection(): Connection {
    this.#next ??= new Connection(this.plan, this.#via, 0, this.#tools);
    return this.#next;
  }

  /** Opens a stream to a port that this host can reach. @throws HostError about the target */
  async forward(to: ConnectionPlan): Promise<Duplex> {
    const client = await this.#open();
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    try {
      client.forwardOut('127.0.0.1', 0, to.hostname, to.port, (error, channel) => {
        if (error) reject(forwardError(to, this.plan, error));
        else resolve(channel);
      });
    } catch (error) {
      reject(connectionLost(this.plan.host, error));
    }
    return promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#next?.close();
    const client = await this.#client?.catch(() => null);
    client?.end();
  }

  #startCommand(command: string, leave: () => void): Promise<Command> {
    return this.#open().then((client) => {
      const { promise, resolve, reject } = Promise.withResolvers<Command>();
      const onClose = () => reject(connectionLost(this.plan.host));
      client.once('close', onClose);
      const fail = (error: Error) => reject(isRefusal(error) ? error : connectionLost(this.plan.host, error));
      try {
        // Adds listeners at once: the exit status of a short command may be in the same packet.
        client.exec(command, (error, channel) => (error ? fail(error) : resolve(toCommand(channel, leave))));
      } catch (error) {
        reject(connectionLost(this.plan.host, error)); // its message is "Not connected"
      }
      return promise.finally(() => client.off('close', onClose));
    });
  }

  #sessionError(error: Error): HostError {
    const { host } = this.plan;
    const message = `${host}: sshd refuses to open a session: ${error.message}`;
    return new HostError(
      host,
      'unreachable',
      message,
      'Check MaxSessions and ForceCommand in sshd_config on the host.',
      error,
    );
  }

  #open(): Promise<Client> {
    if (this.#closed) return Promise.reject(connectionLost(this.plan.host, new Error('mesosup closed it')));
    if (!this.#client) {
      const opening = this.#connect();
      this.#client = opening;
      const forget = () => {
        if (this.#client === opening) this.#client = null;
      };
      opening.then((client) => client.once('close', forget), forget);
    }
    return this.#client;
  }

  async #connect(): Promise<Client> {
    for (const notice of this.plan.notices) this.#tools.notice(notice);
    for (let tries = 1; ; tries++) {
      const attempt: Attempt = { keyVerified: false, offered: [], problems: [] };
      const leave = this.#via ? await this.#via.#handshakes.enter() : undefined;
      const proxy = startProxy(this.plan);
      try {
        const sock = this.#via ? await this.#via.forward(this.plan) : (proxy?.sock ?? null);
        return await handshake(this.plan, sock, this.#tools, attempt);
      } catch (error) {
        if (this.#tools.questions.failure !== undefined) throw this.#tools.questions.failure;
        const failure = wasDropped(error, attempt) ? await proxy?.failure() : null;
        proxy?.sock.destroy();
        if (failure) throw failure;
        if (tries === MAX_TRIES || !wasDropped(error, attempt))
          throw handshakeError(this.plan, error, attempt);
      } finally {
        leave?.();
      }
      await pauseAfter(tries);
    }
  }
}

/** True if sshd refused a session or a command. Any other error means that the connection is closed. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return ('reason' in error && error.reason !== undefined) || error.message === 'Unable to exec';
}

function toCommand(channel: ClientChannel, leave: () => void): Command {
  const { promise: ended, resolve } = Promise.withResolvers<Awaited<Command['ended']>>();
  let exit: Awaited<Command['ended']> = { code: null, signal: null };
  const errorOutput = new Promise<void>((done) => channel.stderr.once('end', done));
  channel.on('exit', (code: number | null, signal?: string) => {
    exit = { code: code ?? null, signal: signal ?? null };
  });
  channel.once('close', () => {
    leave();
    void errorOutput.then(() => resolve(exit));
  });
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    stop() {
      leave();
      channel.close();
    },
  };
}
