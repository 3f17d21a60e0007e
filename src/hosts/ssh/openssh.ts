/** Connects to a host with OpenSSH's own ssh, because ssh2 does not support certificates. */

import { spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connectionLost } from '../connection-lost.ts';
import { HostError } from '../host.ts';
import type { Limit } from '../limit.ts';
import type { Command } from '../script-run.ts';
import { timedOut } from './handshake-errors.ts';
import { type OpenSshFiles, openSshConfig, TARGET } from './openssh-config.ts';
import { newKeys, openSshError, reasonLines, wasDroppedEarly } from './openssh-errors.ts';
import { MAX_TRIES, pauseAfter } from './retries.ts';
import type { ConnectionPlan } from './route.ts';

/** ssh's exit code for its own failures; a remote command may return it too. */
const SSH_FAILED = 255;

export interface OpenSshTools {
  /** A private directory of this run for configuration, sockets and ssh's logs. */
  readonly directory: string;
  /** Limits the number of connections that are being opened. */
  readonly handshakes: Limit;
  readonly notice: (text: string) => void;
}

/**
 * One connection that all commands share: the first ssh authenticates and keeps a socket open (ControlMaster); later
 * ones use this socket.
 */
export class OpenSshConnection {
  readonly plan: ConnectionPlan;
  readonly #certificate: string;
  readonly #tools: OpenSshTools;
  readonly #files: OpenSshFiles;
  #runs = 0;
  #opening: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  /**
   * @param certificate the certificate that requires ssh, as described by `Certificates`
   * @param name unique in the directory, and short: the path of a socket is limited to about 100 bytes
   */
  constructor(plan: ConnectionPlan, certificate: string, name: string, tools: OpenSshTools) {
    this.plan = plan;
    this.#certificate = certificate;
    this.#tools = tools;
    const control = path.join(tools.directory, name);
    this.#files = { control, config: `${control}.conf`, way: `${control}.way` };
  }

  /** Starts a command. @throws HostError */
  async exec(command: string): Promise<Command> {
    if (this.#closing) throw connectionLost(this.plan.host, new Error('mesosup closed it'));
    this.#opening ??= this.#open();
    const opening = this.#opening;
    const forget = () => {
      if (this.#opening === opening) this.#opening = null;
    };
    await opening.catch((error) => {
      forget();
      throw error;
    });
    const log = this.#newLog();
    const child = spawn('ssh', ['-F', this.#files.config, '-E', log, TARGET, command], { stdio: 'pipe' });
    const { promise: ended, resolve, reject } = Promise.withResolvers<Awaited<Command['ended']>>();
    child.once('error', (error) => reject(connectionLost(this.plan.host, error)));
    child.once('close', (code) => {
      this.#outcome(code, log, forget).then(resolve, reject);
    });
    const { stdin, stdout, stderr } = child;
    return { stdin, stdout, stderr, ended, stop: () => void child.kill() };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #newLog(): string {
    return `${this.#files.control}.${++this.#runs}`;
  }

  /**
   * @param code ssh's exit code; null if mesosup stopped it
   * @param forget called when the connection is closed
   * @throws HostError 'lost' if ssh failed rather than the command
   */
  async #outcome(code: number | null, log: string, forget: () => void): Promise<Awaited<Command['ended']>> {
    const text = reasonLines(this.plan, await readFile(log, 'utf8').catch(() => ''));
    await rm(log, { force: true });
    if (code === null) throw connectionLost(this.plan.host);
    if (code !== SSH_FAILED) return { code, signal: null };
    // ssh writes nothing when the shared connection is lost.
    const isOpen = (await this.#run(['-O', 'check', TARGET])).code === 0;
    if (!isOpen) forget();
    if (isOpen && text === '') return { code, signal: null };
    throw connectionLost(this.plan.host, new Error(text || 'ssh exited'));
  }

  async #open(): Promise<void> {
    for (const notice of this.plan.notices) this.#tools.notice(notice);
    const { config, way } = this.#files;
    await writeFile(config, openSshConfig(this.plan, this.#files), { mode: 0o600 });
    for (let tries = 1; ; tries++) {
      const leave = await this.#tools.handshakes.enter();
      // With ControlPersist, ssh goes into the background once it is connected.
      const { code, text, isLate } = await this.#run(['-N', TARGET], this.plan.timeout).finally(leave);
      if (code === 0) {
        for (const line of newKeys(text)) this.#tools.notice(`${this.plan.host}: ${line}`);
        return;
      }
      if (isLate) throw timedOut(this.plan);
      const proxyOutput = await readFile(way, 'utf8').catch(() => '');
      await rm(way, { force: true });
      if (tries === MAX_TRIES || !wasDroppedEarly(proxyOutput || text)) {
        throw openSshError(this.plan, this.#certificate, `${proxyOutput}${text}`);
      }
      await pauseAfter(tries);
    }
  }

  /** Runs ssh until it exits or goes into the background, and returns its output. */
  async #run(words: readonly string[], timeout?: number) {
    const log = this.#newLog();
    const file = await open(log, 'w', 0o600);
    try {
      const child = spawn('ssh', ['-F', this.#files.config, ...words], {
        stdio: ['ignore', file.fd, file.fd],
        timeout,
      });
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once('error', (error) => reject(this.#missing(error)));
        child.once('exit', resolve);
      });
      return { code, text: await readFile(log, 'utf8'), isLate: child.killed };
    } finally {
      await file.close();
      await rm(log, { force: true });
    }
  }

  #missing(error: Error): HostError {
    const { host } = this.plan;
    return new HostError(
      host,
      'configuration',
      `${host}: ${this.#certificate} needs OpenSSH's ssh, which could not be started on this machine: ${error.message}`,
      'Install OpenSSH on this machine (openssh-client), or use keys without certificates.',
      error,
    );
  }

  async #close(): Promise<void> {
    const isOpen = await this.#opening?.then(
      () => true,
      () => false,
    );
    if (isOpen) await this.#run(['-O', 'exit', TARGET]);
  }
}
