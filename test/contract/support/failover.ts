/**
 * Several schedulers on a real ZooKeeper with many tasks, and permanent changes of apps. By default on the embedded Mesos
 * with hundreds of tasks, by the test executor, one process for many tasks.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isTerminal, type TaskState } from '../../../src/mesos/types.ts';
import { askJson, Programs } from './programs.ts';
import { type Ensemble, startZooKeeper } from './zookeeper.ts';
import { SCHEDULER } from './zookeeper-schedulers.ts';

const EXECUTOR = fileURLToPath(new URL('test-executor.ts', import.meta.url));
const RESOURCES = '--resources=cpus:16;mem:16384;disk:1000;ports:[31000-32999]';
const PATIENCE_MS = 180_000;
const ASK_AGAIN_MS = 50;
const STEADY_APPS = 5;
/** More would be placed for so long that the scheduler could lose its session with a busy ZooKeeper. */
const TASKS_AT_ONCE = 2000;

/** What runs the tasks. */
export interface MesosOfFailover extends AsyncDisposable {
  /** The master's `host:port`. */
  readonly address: string;
  /** Path of the executor for Docker. */
  readonly executor: string;
  /** Lists the ids of all tasks that have not ended, once for each place that knows them. */
  tasks(): Promise<string[][]>;
}

export interface FailoverOptions {
  schedulers: number;
  ensemble: 1 | 3;
  /** The ensemble's tick time, which limits sessions. */
  tickMs?: number;
  /** Memory of each ZooKeeper's heap. */
  heapMiB?: number;
  /** Numbers of tasks of unchanged apps, and of one app that is restarted permanently. */
  steady: number;
  rolling: number;
  /** Number of unchanged apps. */
  apps?: number;
  /** Pause before an ended scheduler starts again, as an init system does. */
  restartMs: number;
  /** True: starts it again only after a follower has taken over, as if its host had failed. */
  restartAfterFailover?: boolean;
  /** Flags of Node and a built program, instead of the sources. */
  program?: readonly string[];
  /** Default: an embedded master and agent. */
  mesos?: () => Promise<MesosOfFailover>;
}

/** Milliseconds from the signal until a follower was elected, had read the state, was subscribed, had reconciled. */
export interface FailoverTimes {
  readonly electedMs: number;
  readonly loadedMs: number;
  readonly subscribedMs: number;
  readonly reconciledMs: number;
}

interface AppJson {
  readonly id: string;
  readonly instances: number;
  readonly deployments: readonly unknown[];
  readonly tasks: readonly { readonly id: string; readonly state: TaskState }[];
}

const ROLLING = '/rolling';
const MARKS = [
  'elected: this scheduler leads',
  'the state is loaded',
  'subscribed to the master',
  'the master has answered for every task',
] as const;

interface Member {
  readonly child: ChildProcess;
  /** Its directory, which the next process uses, too. */
  readonly data: string;
  /** Path of its log: a file, since a slow reader of a pipe would stop the scheduler. */
  readonly log: string;
  url(): Promise<string>;
}

export class FailoverCluster implements AsyncDisposable {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'mesosup-failover-'));
  readonly #zookeeper: Ensemble;
  readonly #mesos: MesosOfFailover;
  readonly #options: FailoverOptions;
  /** To dispose of. */
  #parts = new AsyncDisposableStack();
  #members: Member[] = [];
  #started = 0;
  #restarting: Promise<void> = Promise.resolve();
  /** Set while changes are made: stops them. */
  #changing: { stop: () => void; stopped: Promise<void> } | undefined;
  /** Counts of answered changes, and created apps. */
  restarts = 0;
  readonly created: string[] = [];

  private constructor(zookeeper: Ensemble, mesos: MesosOfFailover, options: FailoverOptions) {
    this.#zookeeper = zookeeper;
    this.#mesos = mesos;
    this.#options = options;
  }

  /** Resolves when all tasks run. */
  static async start(options: FailoverOptions): Promise<FailoverCluster> {
    await using started = new AsyncDisposableStack();
    const zookeeper = await startZooKeeper(options.ensemble, options.tickMs, options.heapMiB);
    started.defer(() => zookeeper.stop());
    const mesos = started.use(await (options.mesos ?? startEmbeddedMesos)());
    const cluster = new FailoverCluster(zookeeper, mesos, options);
    started.defer(() => cluster.#end());
    await cluster.#begin();
    cluster.#parts = started.move();
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  async #end(): Promise<void> {
    await this.stopChanging();
    await this.#restarting;
    await Promise.all(
      this.#members.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #begin(): Promise<void> {
    const address = `zk://mesosup:pw@${this.#zookeeper.hosts}/mesosup`;
    writeFileSync(path.join(this.#directory, 'zk'), address, { mode: 0o600 });
    for (let i = 0; i < this.#options.schedulers; i += 1)
      this.#startScheduler(path.join(this.#directory, `state${i}`));
    await Promise.all(this.#members.map((member) => member.url()));
    const { steady, rolling, apps: count = STEADY_APPS } = this.#options;
    const each = Math.ceil(steady / count);
    const steadyApps = Array.from({ length: count }, (_, i) => this.#app(`/steady/a${i}`, each));
    const apps = [this.#app(ROLLING, rolling), ...steadyApps];
    const some = Math.ceil(TASKS_AT_ONCE / each);
    for (let from = 0; from < apps.length; from += some) {
      await this.#call('PUT', '/v2/apps', apps.slice(from, from + some));
      await until('the tasks are launched', async () => (await this.#isAtRest()) || undefined);
    }
    await this.settled();
  }

  #app(id: string, instances: number) {
    const upgradeStrategy = { minimumHealthCapacity: 0.9, maximumOverCapacity: 0.1 };
    const container = { type: 'DOCKER', docker: { image: 'none' } };
    return { id, instances, container, cpus: 0.001, mem: 1, portDefinitions: [], upgradeStrategy };
  }

  #startScheduler(data: string): Member {
    mkdirSync(data, { recursive: true });
    this.#started += 1;
    const log = path.join(this.#directory, `log${this.#started}`);
    const output = openSync(log, 'w');
    const flags = [
      ...['--master', this.#mesos.address, '--zk', `file://${this.#directory}/zk`, '--data_dir', data],
      ...['--docker_executor', this.#mesos.executor, '--http_port', '0', '--hostname', '127.0.0.1'],
    ];
    const program = [...(this.#options.program ?? [SCHEDULER]), ...flags];
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', output] });
    closeSync(output);
    let url: Promise<string> | undefined;
    const find = () =>
      until('it listens', async () => /listening on (http:[^"\s]+)/.exec(readFileSync(log, 'utf8'))?.[1]);
    const member: Member = {
      child,
      data,
      log,
      url: () => {
        url ??= find();
        return url;
      },
    };
    this.#members.push(member);
    return member;
  }

  /** Restarts the rolling app repeatedly and creates small apps. All calls may fail, for example without a leader. */
  startChanging(): void {
    const ceasing = new AbortController();
    const change = async (): Promise<void> => {
      for (let i = 0; !ceasing.signal.aborted; i += 1) {
        const id = `/made/n${this.created.length}-${i}`;
        await this.#call('PUT', `/v2/apps${id}`, this.#app(id, 1), 1).then(
          () => this.created.push(id),
          () => {},
        );
        await this.#call('POST', `/v2/apps${ROLLING}/restart?force=true`, {}, 1).then(
          () => {
            this.restarts += 1;
          },
          () => {},
        );
        await sleep(300);
      }
    };
    this.#changing = { stop: () => ceasing.abort(), stopped: change() };
  }

  async stopChanging(): Promise<void> {
    this.#changing?.stop();
    await this.#changing?.stopped;
    this.#changing = undefined;
  }

  /**
   * Ends the busy leader, starts it again, and waits until a scheduler has taken over.
   * @param signal SIGTERM: the leader hands over on purpose
   */
  async endLeader(signal: 'SIGKILL' | 'SIGTERM'): Promise<FailoverTimes> {
    const killed = await this.#leader();
    this.#members = this.#members.filter((one) => one !== killed);
    const watched = this.#members.map(({ log }) => ({ log, from: statSync(log).size }));
    const at = Date.now();
    killed.child.kill(signal);
    await once(killed.child, 'exit');
    const restart = async (): Promise<void> => {
      await sleep(this.#options.restartMs);
      watched.push({ log: this.#startScheduler(killed.data).log, from: 0 });
    };
    if (!this.#options.restartAfterFailover) this.#restarting = restart();
    const times = await until('a scheduler has reconciled', async () => {
      for (const { log, from } of watched) {
        const found = marksIn(textFrom(log, from));
        if (found) return found;
      }
      return undefined;
    });
    if (this.#options.restartAfterFailover) this.#restarting = restart();
    await this.#restarting;
    const [electedMs = 0, loadedMs = 0, subscribedMs = 0, reconciledMs = 0] = times.map((time) => time - at);
    return { electedMs, loadedMs, subscribedMs, reconciledMs };
  }

  /** Waits until all deployments are done and every app has its tasks. @returns task ids by app */
  async settled(): Promise<Record<string, string[]>> {
    return until('all apps have their tasks, and nothing else runs', async () => {
      // A shorter answer than the one below.
      if (!(await this.#isAtRest())) return undefined;
      const { apps } = await this.#apps();
      const done = apps.every(
        ({ instances, tasks, deployments }) =>
          deployments.length === 0 &&
          tasks.length === instances &&
          tasks.every(({ state }) => state === 'TASK_RUNNING'),
      );
      if (!done) return undefined;
      const ids = Object.fromEntries(apps.map(({ id, tasks }) => [id, tasks.map((task) => task.id).sort()]));
      const known = Object.values(ids).flat().sort().join();
      const places = await this.#mesos.tasks();
      return places.every((list) => known === list.sort().join()) ? ids : undefined;
    });
  }

  async #isAtRest(): Promise<boolean> {
    return ((await this.#call('GET', '/v2/deployments')) as unknown[]).length === 0;
  }

  #apps(): Promise<{ apps: AppJson[] }> {
    return this.#call('GET', '/v2/apps?embed=apps.tasks&embed=apps.deployments') as Promise<{
      apps: AppJson[];
    }>;
  }

  async #leader(): Promise<Member> {
    return until('a scheduler leads', async () => {
      const { leader } = (await this.#call('GET', '/v2/leader')) as { leader: string };
      for (const one of this.#members) if ((await one.url()) === `http://${leader}`) return one;
      return undefined;
    });
  }

  /** @param attempts each one at the next scheduler */
  async #call(method: string, route: string, body?: unknown, attempts = 100): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const member = this.#members[attempt % this.#members.length];
        const response = await fetch(`${await member?.url()}${route}`, {
          method,
          headers: { 'Content-Type': 'application/json' },
          signal: AbortSignal.timeout(30_000),
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        if (response.ok) return JSON.parse(text);
        throw new Error(`${method} ${route}: ${response.status} ${text}`);
      } catch (error) {
        if (attempt >= attempts) throw error;
        await sleep(ASK_AGAIN_MS);
      }
    }
  }
}

async function startEmbeddedMesos(): Promise<MesosOfFailover> {
  await using started = new AsyncDisposableStack();
  const programs = started.use(new Programs());
  const { directory } = programs;
  const { address } = await programs.master();
  const agent = [`--master=${address}`, `--work_dir=${directory}/agent`, RESOURCES];
  await programs.start('agent', [...agent, '--no-systemd_enable_support']);
  const executor = path.join(directory, 'executor');
  writeFileSync(executor, `#!/bin/sh\nexec '${process.execPath}' '${EXECUTOR}'\n`);
  chmodSync(executor, 0o755);
  started.move();
  return {
    address,
    executor,
    tasks: async () => [await tasksOfMaster(address), tasksOfExecutors(directory)],
    [Symbol.asyncDispose]: () => programs[Symbol.asyncDispose](),
  };
}

async function tasksOfMaster(address: string): Promise<string[]> {
  const { frameworks } = await askJson<{
    frameworks: { tasks: { id: string; state: TaskState }[] }[];
  }>(address, '/state');
  return frameworks.flatMap(({ tasks }) => tasks.flatMap(({ id, state }) => (isTerminal(state) ? [] : [id])));
}

/** Lists the tasks that the executors have stored. */
function tasksOfExecutors(directory: string): string[] {
  const files = globSync(`${directory}/agent/**/tasks.json`, { exclude: (name) => name === 'latest' });
  return files.flatMap((file) =>
    (JSON.parse(readFileSync(file, 'utf8')) as [string, unknown][]).map(([id]) => id),
  );
}

function textFrom(file: string, from: number): string {
  return readFileSync(file).subarray(from).toString('utf8');
}

/** Returns the times of the marks, if the last one was logged. */
function marksIn(log: string): number[] | undefined {
  const times = MARKS.map((mark) => new RegExp(`"time":(\\d+)[^\\n]*"msg":"${mark}"`).exec(log)?.[1]);
  return times.every((time) => time !== undefined) ? times.map(Number) : undefined;
}

async function until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`after ${PATIENCE_MS} ms: ${what}`);
    await sleep(ASK_AGAIN_MS);
  }
}
