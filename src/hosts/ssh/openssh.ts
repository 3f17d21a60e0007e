/** The connection to a host by OpenSSH's own ssh, which has what ssh2 lacks: certificates. */

import { spawn } from 'node:child_process';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../host.ts';
import type { Limit } from '../limit.ts';
import { lost } from '../lost.ts';
import type { Command } from '../script-run.ts';
import { timedOut } from './handshake-errors.ts';
import { type OpenSshFiles, openSshConfig, TARGET } from './openssh-config.ts';
import { newKeys, openSshError, shown, wasDroppedEarly } from './openssh-errors.ts';
import type { ConnectionPlan } from './route.ts';
import { MAX_TRIES, pauseAfter } from './tries.ts';

/** What ssh ends with when it fails itself; a command may end with it too. */
const SSH_FAILED = 255;

export interface OpenSshTools {
  /** A private directory of this run, for configuration, sockets and what ssh writes. */
  readonly directory: string;
  /** How many connections are made at the same time. */
  readonly handshakes: Limit;
  readonly notice: (text: string) => void;
}

/**
 * One connection, which all commands share: the first ssh authenticates and stays behind a socket (ControlMaster),
 * later ones go through that.
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
   * @param certificate what ssh is used for, as `Certificates` names it
   * @param name unique in the directory; short, since a socket's path may have some hundred bytes only
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
    if (this.#closing) throw lost(this.plan.host, new Error('it was closed here'));
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
    child.once('error', (error) => reject(lost(this.plan.host, error)));
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
   * @param code what ssh ended with; null when it was stopped from here
   * @param forget called when the connection is no more
   * @throws HostError 'lost' where the end was not the command's
   */
  async #outcome(code: number | null, log: string, forget: () => void): Promise<Awaited<Command['ended']>> {
    const text = shown(this.plan, await readFile(log, 'utf8').catch(() => ''));
    await rm(log, { force: true });
    if (code === null) throw lost(this.plan.host);
    if (code !== SSH_FAILED) return { code, signal: null };
    // ssh writes nothing when the connection that it shares is lost.
    const isOpen = (await this.#run(['-O', 'check', TARGET])).code === 0;
    if (!isOpen) forget();
    if (isOpen && text === '') return { code, signal: null };
    throw lost(this.plan.host, new Error(text || 'ssh ended'));
  }

  async #open(): Promise<void> {
    for (const notice of this.plan.notices) this.#tools.notice(notice);
    const { config, way } = this.#files;
    await writeFile(config, openSshConfig(this.plan, this.#files), { mode: 0o600 });
    for (let tries = 1; ; tries++) {
      const leave = await this.#tools.handshakes.enter();
      // It goes to the background once it is connected, since the connection is to persist.
      const { code, text, isLate } = await this.#run(['-N', TARGET], this.plan.timeout).finally(leave);
      if (code === 0) {
        for (const line of newKeys(text)) this.#tools.notice(`${this.plan.host}: ${line}`);
        return;
      }
      if (isLate) throw timedOut(this.plan);
      const onTheWay = await readFile(way, 'utf8').catch(() => '');
      await rm(way, { force: true });
      if (tries === MAX_TRIES || !wasDroppedEarly(onTheWay || text)) {
        throw openSshError(this.plan, this.#certificate, `${onTheWay}${text}`);
      }
      await pauseAfter(tries);
    }
  }

  /** Runs ssh to its end, or to its departure to the background, with all that it writes. */
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
      `${host}: OpenSSH's ssh is needed for ${this.#certificate}, and could not be started here: ${error.message}`,
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
