/** A Docker engine that a test may kill, stop and restart: a dockerd of its own, with its containerd and its files. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { DockerEngine } from '../../../src/docker/engine.ts';
import { BUSYBOX } from './busybox-image.ts';

const START_MS = 60_000;

export class OwnDocker {
  readonly directory: string;
  readonly socket: string;
  readonly engine: DockerEngine;
  readonly #liveRestore: boolean;
  #containerd: ChildProcess | undefined;
  #daemon: ChildProcess | undefined;

  private constructor(directory: string, liveRestore: boolean) {
    this.directory = directory;
    this.socket = path.join(directory, 'docker.sock');
    this.engine = new DockerEngine(this.socket);
    this.#liveRestore = liveRestore;
  }

  /** Starts an engine with the image of busybox. Its containers have no network. */
  static async start(liveRestore: boolean): Promise<OwnDocker> {
    const docker = new OwnDocker(await mkdtemp(path.join(tmpdir(), 'mesosup-dockerd-')), liveRestore);
    await writeFile(path.join(docker.directory, 'daemon.json'), '{}');
    await docker.#startContainerd();
    await docker.start();
    await execa('sh', ['-c', 'docker save "$1" | docker -H "unix://$2" load', 'sh', BUSYBOX, docker.socket]);
    return docker;
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0;
  }

  /** A process of its own, as where systemd starts Docker: it survives a killed daemon. */
  async #startContainerd(): Promise<void> {
    const at = (name: string) => path.join(this.directory, name);
    const config = [
      'version = 2',
      `root = "${at('containerd')}"`,
      `state = "${at('containerd-state')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      `[grpc]\naddress = "${at('containerd.sock')}"`,
    ];
    await writeFile(at('containerd.toml'), `${config.join('\n')}\n`);
    const log = openSync(at('containerd.log'), 'a');
    this.#containerd = spawn('containerd', ['--config', at('containerd.toml')], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await once(this.#containerd, 'spawn');
  }

  /** Starts the daemon, and waits until it answers. */
  async start(): Promise<void> {
    const at = (name: string) => path.join(this.directory, name);
    // A killed daemon leaves it.
    await rm(at('docker.pid'), { force: true });
    const flags = ['--config-file', at('daemon.json'), '--data-root', at('data'), '--exec-root', at('exec')];
    flags.push(
      '--containerd',
      at('containerd.sock'),
      '-H',
      `unix://${this.socket}`,
      '--pidfile',
      at('docker.pid'),
    );
    flags.push('--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false');
    const log = openSync(at('dockerd.log'), 'a');
    // With --bridge=none, a daemon removes docker0: in its own network namespace it can't remove that of another engine.
    const command = ['--net', 'dockerd', ...flags, ...(this.#liveRestore ? ['--live-restore'] : [])];
    this.#daemon = spawn('unshare', command, { stdio: ['ignore', log, log] });
    closeSync(log);
    for (const end = Date.now() + START_MS; ; ) {
      const answers = await this.engine.listContainers({}).then(
        () => true,
        () => false,
      );
      if (answers) return;
      if (Date.now() > end || this.#daemon.exitCode !== null)
        throw new Error(
          `dockerd does not answer:\n${(await readFile(at('dockerd.log'), 'utf8')).slice(-2000)}`,
        );
      await sleep(50);
    }
  }

  /** Ends the daemon. SIGTERM ends the containers, unless there is live-restore. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill(signal);
    await once(daemon, 'exit');
  }

  /** Stops the daemon without ending it, so that it takes connections and does not answer; or lets it go on. */
  hang(hangs: boolean): void {
    this.#daemon?.kill(hangs ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Removes the containers, and ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.hang(false);
    if (this.#daemon?.exitCode !== null || this.#daemon.signalCode !== null) await this.start();
    const containers = await this.engine.listContainers({});
    await Promise.all(containers.map(({ Id }) => this.engine.removeContainer(Id).catch(() => {})));
    await this.stop('SIGTERM');
    const containerd = this.#containerd;
    containerd?.kill('SIGTERM');
    if (containerd?.exitCode === null && containerd.signalCode === null) await once(containerd, 'exit');
    // What a killed daemon left: shims of containerd, and mounts.
    for (const pid of await this.#shims()) killIfAlive(pid);
    const mounts = (await readFile('/proc/self/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((mount) => mount.startsWith(`${this.directory}/`))
      .sort((a, b) => b.length - a.length);
    for (const mount of mounts) await execa('umount', ['-l', mount], { reject: false });
    await rm(this.directory, { recursive: true, force: true });
  }

  async #shims(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const found: number[] = [];
    for (const pid of pids) {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (command.includes('containerd-shim') && command.includes(`${this.directory}/`)) found.push(pid);
    }
    return found;
  }
}

/** The process may end between the look at the process list and the signal. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
