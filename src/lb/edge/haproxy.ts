/**
 * haproxy as a process of its own, in master-worker mode. It keeps running when this program ends, and the next one
 * adopts it. A reload passes the listening sockets on, so that no connection is refused.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '../../json.ts';
import { identify, isAlive, type ProcessId } from '../../proc/process-id.ts';
import { askSocket, sendCommands } from './unix-socket.ts';

const LOADS_WITHIN_MS = 60_000;
const POLL_MS = 20;
const MAX_LOG_BYTES = 1_000_000;

/** haproxy does not accept a configuration. The message is its own. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

export class Haproxy {
  readonly #program: string;
  readonly #directory: string;
  readonly configuration: string;
  readonly socket: string;
  readonly #master: string;
  readonly #log: string;
  readonly #idFile: string;
  #id: ProcessId | undefined;

  /** @param program path of haproxy @param directory for its configuration, sockets and log */
  constructor(program: string, directory: string) {
    this.#program = program;
    this.#directory = directory;
    this.configuration = path.join(directory, 'haproxy.cfg');
    this.socket = path.join(directory, 'haproxy.sock');
    this.#master = path.join(directory, 'master.sock');
    this.#log = path.join(directory, 'haproxy.log');
    this.#idFile = path.join(directory, 'haproxy.json');
  }

  /** True after the first configuration was written. */
  async isConfigured(): Promise<boolean> {
    return (await stat(this.configuration).catch(() => undefined)) !== undefined;
  }

  async isRunning(): Promise<boolean> {
    return (await this.#identify()) !== undefined;
  }

  /** Replaces the configuration file, without effect on a running haproxy. @throws Error */
  async write(text: string): Promise<void> {
    await rename(await this.#draft(text), this.configuration);
  }

  /** Checks a configuration, and loads it. If that fails, the previous file stays. @throws RefusedError, Error */
  async replace(text: string): Promise<void> {
    const previous = `${this.configuration}.previous`;
    const draft = await this.#draft(text);
    await this.check(draft);
    const hadOne = await rename(this.configuration, previous).then(
      () => true,
      () => false,
    );
    await rename(draft, this.configuration);
    try {
      await this.load();
    } catch (error) {
      if (hadOne) await rename(previous, this.configuration);
      else await rm(this.configuration);
      throw error;
    }
  }

  /** @throws RefusedError with what haproxy says about the file */
  async check(file = this.configuration): Promise<void> {
    const child = spawn(this.#program, ['-c', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new RefusedError(alertsIn(output) || `exit code ${code}`);
  }

  /** Loads the configuration file: starts haproxy, or reloads it. @throws RefusedError, Error */
  async load(): Promise<void> {
    const running = await this.#identify();
    const size = await this.#logSize();
    if (running) {
      // The master ignores the signal while it loads a configuration, and answers only afterwards.
      await askSocket(this.#master, 'show proc').catch(() => undefined);
      process.kill(running.pid, 'SIGUSR2');
      await this.#loaded(size, () => isAlive(running));
      return;
    }
    await rm(this.#master, { force: true });
    const log = this.#openLog();
    await rm(this.#idFile, { force: true });
    const child = spawn(this.#program, ['-W', '-S', `${this.#master},mode,600`, '-f', this.configuration], {
      cwd: this.#directory,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
    });
    child.unref();
    const id = identify(child.pid ?? 0);
    if (id) await this.#remember(id);
    await this.#loaded(
      size,
      () => failure === undefined && child.exitCode === null && child.signalCode === null,
    ).catch((error: unknown) => {
      throw failure ?? error;
    });
  }

  /** Changes servers of the running haproxy. @returns its answers @throws Error if its socket does not answer */
  send(commands: readonly string[]): Promise<string> {
    return sendCommands(this.socket, commands);
  }

  /** Ends haproxy and all connections. Resolves when it has ended. */
  async stop(): Promise<void> {
    const running = await this.#identify();
    if (!running) return;
    process.kill(running.pid, 'SIGTERM');
    while (isAlive(running)) await sleep(POLL_MS);
  }

  /** haproxy's messages about its start and its servers are of no use later. */
  async trimLog(): Promise<void> {
    if ((await this.#logSize()) > MAX_LOG_BYTES) await truncate(this.#log);
  }

  /** Waits until haproxy has written the outcome to its log. */
  async #loaded(from: number, isThere: () => boolean): Promise<void> {
    const end = Date.now() + LOADS_WITHIN_MS;
    for (;;) {
      const wasThere = isThere();
      const text = await this.#logFrom(from);
      if (/^\[NOTICE\].*: Loading success\.$/m.test(text)) break;
      if (!wasThere || /: Loading failure!$/m.test(text) || Date.now() > end) {
        throw new RefusedError(alertsIn(text) || 'haproxy has ended without a message');
      }
      await sleep(POLL_MS);
    }
    // The worker listens; the master answers once it watches it.
    await askSocket(this.#master, 'show proc').catch(() => undefined);
  }

  async #identify(): Promise<ProcessId | undefined> {
    const id = parseJson(await readFile(this.#idFile, 'utf8').catch(() => '')) as ProcessId | undefined;
    const known = id ?? this.#id;
    if (known) return isAlive(known) ? known : undefined;
    const processes = await askSocket(this.#master, 'show proc').catch(() => '');
    const found = identify(Number(/^(\d+)\s+master\s/m.exec(processes)?.[1] ?? 0));
    if (found) await this.#remember(found);
    return found;
  }

  /** Without the file, as on a full disk, the master's socket tells the next program who it is. */
  async #remember(id: ProcessId): Promise<void> {
    this.#id = id;
    await writeFile(this.#idFile, JSON.stringify(id), { mode: 0o600 }).catch(() => undefined);
  }

  /** A file of a former user of this program, whose number was another one, can be removed, but not written. */
  async #draft(text: string): Promise<string> {
    const draft = `${this.configuration}.new`;
    await rm(draft, { force: true });
    await writeFile(draft, text, { mode: 0o600 });
    return draft;
  }

  /** See `#draft`. @returns a file descriptor */
  #openLog(): number {
    try {
      return openSync(this.#log, 'a', 0o600);
    } catch {
      rmSync(this.#log, { force: true });
      return openSync(this.#log, 'a', 0o600);
    }
  }

  async #logSize(): Promise<number> {
    return (await stat(this.#log).catch(() => undefined))?.size ?? 0;
  }

  async #logFrom(from: number): Promise<string> {
    const file = await open(this.#log).catch(() => undefined);
    if (!file) return '';
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, size - from));
      await file.read(bytes, 0, bytes.length, from);
      return bytes.toString('utf8');
    } finally {
      await file.close();
    }
  }
}

/** Its other messages are about itself. */
function alertsIn(output: string): string {
  const alerts = output.split('\n').filter((line) => line.startsWith('[ALERT]'));
  return alerts.join('\n') || output.trim();
}
