/** The connection to one host, shared by all that runs there, and for a bastion by all hosts behind it. */

import type { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { HostError } from '../host.ts';
import { Limit } from '../limit.ts';
import { lost } from '../lost.ts';
import type { Command } from '../script-run.ts';
import { type HandshakeTools, handshake, type Tried } from './handshake.ts';
import { forwardError, handshakeError, wasDropped } from './handshake-errors.ts';
import { startProxy } from './proxy-command.ts';
import type { ConnectionPlan } from './route.ts';
import { MAX_TRIES, pauseAfter } from './tries.ts';

/** sshd's default for MaxSessions. */
const MAX_SESSIONS = 10;
/** Where fewer sessions than these are allowed, those that last as long as a run can take them all. */
const ENOUGH_SESSIONS = 4;
/** Milliseconds for which a session is then waited for before another connection is made. */
const SESSION_PATIENCE = 1000;

/** How often a session is asked for while none of ours is open, and milliseconds between two attempts. */
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

  /** @param handshakes how many hosts may be connected to through this one at the same time */
  constructor(plan: ConnectionPlan, via: Connection | null, handshakes: number, tools: HandshakeTools) {
    this.plan = plan;
    this.#via = via;
    this.#tools = tools;
    this.#handshakes = new Limit(handshakes);
  }

  /** Starts a command, once there is a session for it. @throws HostError; a closed prompt's error as it is */
  async exec(command: string): Promise<Command> {
    for (let alone = 1; ; ) {
      const leave = await this.#place();
      if (!leave) return this.#another().exec(command);
      try {
        return await this.#startCommand(command, leave);
      } catch (error) {
        leave();
        if (!isRefusal(error)) throw error;
        // Fewer sessions than sshd's default are allowed there: wait for one of ours to end.
        const others = this.#sessions.active;
        if (others === 0) {
          // sshd may still count a session that has just ended here.
          if (alone++ === MAX_ALONE) throw this.#sessionError(error);
          await wait(ALONE_PAUSE);
          continue;
        }
        this.#sessions.lower(others);
      }
    }
  }

  /** Gives the place back when called; undefined where sshd allows few sessions and none becomes free soon. */
  async #place(): Promise<(() => void) | undefined> {
    const entering = this.#sessions.enter();
    if (this.#sessions.most >= ENOUGH_SESSIONS) return entering;
    const ended = new AbortController();
    const patience = wait(SESSION_PATIENCE, undefined, { signal: ended.signal }).catch(() => undefined);
    const leave = await Promise.race([entering, patience]);
    ended.abort();
    if (!leave) void entering.then((late) => late());
    return leave;
  }

  /** A further connection to the host: a session of ours may last as long as the whole run. */
  #another(): Connection {
    this.#next ??= new Connection(this.plan, this.#via, 0, this.#tools);
    return this.#next;
  }

  /** A stream to a port that this host can reach. @throws HostError about the host to be reached */
  async forward(to: ConnectionPlan): Promise<Duplex> {
    const client = await this.#open();
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    try {
      client.forwardOut('127.0.0.1', 0, to.hostname, to.port, (error, channel) => {
        if (error) reject(forwardError(to, this.plan, error));
        else resolve(channel);
      });
    } catch (error) {
      reject(lost(this.plan.host, error));
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
      const onClose = () => reject(lost(this.plan.host));
      client.once('close', onClose);
      const fail = (error: Error) => reject(isRefusal(error) ? error : lost(this.plan.host, error));
      try {
        // Listened to at once: how a short command ended may be in the same packet.
        client.exec(command, (error, channel) => (error ? fail(error) : resolve(asCommand(channel, leave))));
      } catch (error) {
        reject(lost(this.plan.host, error)); // it says "Not connected"
      }
      return promise.finally(() => client.off('close', onClose));
    });
  }

  #sessionError(error: Error): HostError {
    const { host } = this.plan;
    const message = `${host}: sshd opens no session: ${error.message}`;
    return new HostError(
      host,
      'unreachable',
      message,
      'See MaxSessions and ForceCommand in sshd_config there.',
      error,
    );
  }

  #open(): Promise<Client> {
    if (this.#closed) return Promise.reject(lost(this.plan.host, new Error('it was closed here')));
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
      const tried: Tried = { keyVerified: false, offered: [], problems: [] };
      const leave = this.#via ? await this.#via.#handshakes.enter() : undefined;
      const proxy = startProxy(this.plan);
      try {
        const sock = this.#via ? await this.#via.forward(this.plan) : (proxy?.sock ?? null);
        return await handshake(this.plan, sock, this.#tools, tried);
      } catch (error) {
        if (this.#tools.questions.failure !== undefined) throw this.#tools.questions.failure;
        const failure = wasDropped(error, tried) ? await proxy?.failure() : null;
        proxy?.sock.destroy();
        if (failure) throw failure;
        if (tries === MAX_TRIES || !wasDropped(error, tried)) throw handshakeError(this.plan, error, tried);
      } finally {
        leave?.();
      }
      await pauseAfter(tries);
    }
  }
}

/** Whether sshd refused a session or a command; any other error is of a connection that is no more. */
function isRefusal(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return ('reason' in error && error.reason !== undefined) || error.message === 'Unable to exec';
}

function asCommand(channel: ClientChannel, leave: () => void): Command {
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
