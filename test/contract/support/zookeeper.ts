/**
 * Debian's ZooKeeper for the contract suite: one server or an ensemble, each server a child process on loopback with its
 * files in a separate directory. The tick time is short, to allow short sessions.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ZooKeeperServer } from '../../../src/zookeeper/address.ts';
import { freePorts } from '../../support/free-ports.ts';

const JAVA = '/usr/bin/java';
const JAR = '/usr/share/java/zookeeper.jar';
const LOG_TO_STDERR = '/usr/share/java/slf4j-simple.jar';
/** Session timeouts are limited to 2–20 ticks. On installed hosts the tick time is 2000 ms. */
const TICK_MS = 400;
const START_DEADLINE_MS = 60_000;
const POLL_MS = 50;
const HEAP_MIB = 128;

export interface ZooKeeperProcess {
  readonly at: ZooKeeperServer;
  /** `standalone`, `leader` or `follower`; undefined while it does not serve. */
  mode(): Promise<string | undefined>;
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Freezes and resumes the process by signals: frozen, it keeps its connections but does not answer. */
  freeze(): void;
  thaw(): void;
}

export interface Ensemble {
  readonly processes: readonly [ZooKeeperProcess, ...ZooKeeperProcess[]];
  readonly servers: readonly [ZooKeeperServer, ...ZooKeeperServer[]];
  /** `host:port,…` */
  readonly hosts: string;
  /** Waits until all running servers serve. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** Resolves when all servers serve. */
export async function startZooKeeper(size: 1 | 3, tickMs = TICK_MS, heapMiB = HEAP_MIB): Promise<Ensemble> {
  for (const file of [JAVA, JAR]) {
    if (!existsSync(file)) throw new Error(`${file} is missing: apt-get install zookeeper`);
  }
  const directory = await mkdtemp(join(tmpdir(), 'zookeeper-'));
  const ports = await freePorts(size * 3);
  const members = Array.from({ length: size }, (_, i) => {
    const [client = 0, quorum = 0, election = 0] = ports.slice(i * 3, i * 3 + 3);
    return { id: i + 1, client, quorum, election };
  });
  const peers = size === 1 ? [] : members.map((m) => `server.${m.id}=127.0.0.1:${m.quorum}:${m.election}`);
  const processes = members.map(
    ({ id, client }) => new Server(join(directory, `${id}`), id, client, peers, tickMs, heapMiB),
  );
  const [first, ...others] = processes;
  if (!first) throw new Error('an ensemble needs at least one server');
  const ready = async (): Promise<void> => {
    await Promise.all(processes.map((server) => server.serving()));
  };
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((server) => server.kill('SIGKILL')));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await Promise.all(processes.map((server) => server.start()));
    await ready();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    processes: [first, ...others],
    servers: [first.at, ...others.map(({ at }) => at)],
    hosts: processes.map(({ at }) => `${at.host}:${at.port}`).join(','),
    ready,
    stop,
  };
}

class Server implements ZooKeeperProcess {
  readonly at: ZooKeeperServer;
  readonly #directory: string;
  readonly #id: number;
  readonly #peers: readonly string[];
  readonly #tickMs: number;
  readonly #heapMiB: number;
  #child: ChildProcess | undefined;

  constructor(
    directory: string,
    id: number,
    port: number,
    peers: readonly string[],
    tickMs: number,
    heapMiB: number,
  ) {
    this.at = { host: '127.0.0.1', port };
    this.#directory = directory;
    this.#id = id;
    this.#peers = peers;
    this.#tickMs = tickMs;
    this.#heapMiB = heapMiB;
  }

  async start(): Promise<void> {
    const data = join(this.#directory, 'data');
    await mkdir(data, { recursive: true });
    await writeFile(join(data, 'myid'), `${this.#id}\n`);
    const config = join(this.#directory, 'zoo.cfg');
    const lines = [
      `dataDir=${data}`,
      `clientPort=${this.at.port}`,
      `clientPortAddress=${this.at.host}`,
      `tickTime=${this.#tickMs}`,
      'initLimit=50',
      // Long enough for an isolated server to keep answering for some time.
      'syncLimit=50',
      'admin.enableServer=false',
      '4lw.commands.whitelist=srvr',
      'maxClientCnxns=0',
      ...this.#peers,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    const log = openSync(join(this.#directory, 'log'), 'a');
    const jvm = [
      `-Xmx${this.#heapMiB}m`,
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Djava.awt.headless=true',
    ];
    const args = [...jvm, '-cp', `${JAR}:${LOG_TO_STDERR}`, MAIN, config];
    this.#child = spawn(JAVA, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    await once(this.#child, 'spawn');
  }

  /** Polls, since the program only reports it on request. */
  async serving(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS;
    while ((await this.mode()) === undefined) {
      if (this.#child?.exitCode !== null || Date.now() > deadline) {
        const log = readFileSync(join(this.#directory, 'log'), 'utf8');
        throw new Error(`ZooKeeper ${this.#id} does not serve; its log:\n${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async mode(): Promise<string | undefined> {
    return /^Mode: (\w+)$/m.exec(await ask(this.at, 'srvr'))?.[1];
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }
}

const MAIN = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';

/** Sends one of ZooKeeper's four-letter words. Returns an empty text without an answer within a second. */
function ask({ host, port }: ZooKeeperServer, word: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ host, port }, () => socket.write(word));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
