/**
 * Several schedulers on a real ZooKeeper with hundreds of tasks on the embedded Mesos, and permanent changes of apps.
 * Uses the test executor, one process for many tasks.
 */

import { chmodSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isTerminal, type TaskState } from '../../../src/mesos/types.ts';
import { askJson, Programs } from './programs.ts';
import { type Ensemble, startZooKeeper } from './zookeeper.ts';
import { type SchedulerProcess, startScheduler } from './zookeeper-schedulers.ts';

const EXECUTOR = fileURLToPath(new URL('test-executor.ts', import.meta.url));
const RESOURCES = '--resources=cpus:16;mem:16384;disk:1000;ports:[31000-32999]';
const PATIENCE_MS = 90_000;
const ASK_AGAIN_MS = 50;

export interface FailoverOptions {
  schedulers: number;
  ensemble: 1 | 3;
  /** The ensemble's tick time, which limits sessions. */
  tickMs?: number;
  /** Numbers of tasks of unchanged apps, and of one app that is restarted permanently. */
  steady: number;
  rolling: number;
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

const STEADY_APPS = 5;
const ROLLING = '/rolling';
const MARKS = [
  'elected: this scheduler leads',
  'the state is loaded',
  'subscribed to the master',
  'the master has answered for every task',
] as const;

export class FailoverCluster implements AsyncDisposable {
  readonly #programs = new Programs();
  readonly #zookeeper: Ensemble;
  readonly #options: FailoverOptions;
  #master = '';
  #schedulers: SchedulerProcess[] = [];
  /** Set while changes are made: stops them. */
  #changing: { stop: () => void; stopped: Promise<void> } | undefined;
  /** Counts of answered changes, and created apps. */
  restarts = 0;
  readonly created: string[] = [];

  private constructor(zookeeper: Ensemble, options: FailoverOptions) {
    this.#zookeeper = zookeeper;
    this.#options = options;
  }

  /** Resolves when all tasks run. */
  static async start(options: FailoverOptions): Promise<FailoverCluster> {
    const zookeeper = await startZooKeeper(options.ensemble, options.tickMs);
    const cluster = new FailoverCluster(zookeeper, options);
    try {
      await cluster.#begin();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopChanging();
    await Promise.all(this.#schedulers.map((scheduler) => scheduler.kill()));
    await this.#programs[Symbol.asyncDispose]();
    await this.#zookeeper.stop();
  }

  async #begin(): Promise<void> {
    const { directory } = this.#programs;
    this.#master = (await this.#programs.master()).address;
    const agent = [`--master=${this.#master}`, `--work_dir=${directory}/agent`, RESOURCES];
    await this.#programs.start('agent', [...agent, '--no-systemd_enable_support']);
    const executor = path.join(directory, 'executor');
    writeFileSync(executor, `#!/bin/sh\nexec '${process.execPath}' '${EXECUTOR}'\n`);
    chmodSync(executor, 0o755);
    this.#programs.secret('zk', `zk://mesosup:pw@${this.#zookeeper.hosts}/mesosup`);
    for (let i = 0; i < this.#options.schedulers; i += 1) this.#startScheduler();
    await Promise.all(this.#schedulers.map((scheduler) => scheduler.url()));
    const { steady, rolling } = this.#options;
    const each = Math.ceil(steady / STEADY_APPS);
    const apps = Array.from({ length: STEADY_APPS }, (_, i) => this.#app(`/steady/a${i}`, each));
    await this.#call('PUT', '/v2/apps', [...apps, this.#app(ROLLING, rolling)]);
    await this.settled();
  }

  #app(id: string, instances: number) {
    const upgradeStrategy = { minimumHealthCapacity: 0.9, maximumOverCapacity: 0.1 };
    const container = { type: 'DOCKER', docker: { image: 'none' } };
    return { id, instances, container, cpus: 0.001, mem: 1, portDefinitions: [], upgradeStrategy };
  }

  #startScheduler(): void {
    const { directory } = this.#programs;
    this.#schedulers.push(
      startScheduler(
        ...['--master', this.#master, '--zk', `file://${directory}/zk`],
        ...['--docker_executor', `${directory}/executor`, '--logging_level', 'info'],
      ),
    );
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
   * Ends the busy leader, waits until a follower has taken over, and starts a replacement.
   * @param signal SIGTERM: the leader hands over on purpose
   */
  async endLeader(signal: 'SIGKILL' | 'SIGTERM'): Promise<FailoverTimes> {
    const killed = await this.#leader();
    this.#schedulers = this.#schedulers.filter((one) => one !== killed);
    const others = this.#schedulers.map((scheduler) => ({ scheduler, from: scheduler.said.length }));
    const at = Date.now();
    killed.child.kill(signal);
    await killed.ended;
    const times = await until('a follower has reconciled', async () => {
      for (const { scheduler, from } of others) {
        const found = marksIn(scheduler.said.slice(from));
        if (found) return found;
      }
      return undefined;
    });
    this.#startScheduler();
    const [electedMs = 0, loadedMs = 0, subscribedMs = 0, reconciledMs = 0] = times.map((time) => time - at);
    return { electedMs, loadedMs, subscribedMs, reconciledMs };
  }

  /** Waits until all deployments are done and every app has its tasks. @returns task ids by app */
  async settled(): Promise<Record<string, string[]>> {
    return until('all apps have their tasks, and nothing else runs', async () => {
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
      const [onMaster, onExecutors] = [await this.#tasksOfMaster(), this.#tasksOfExecutors()];
      return known === onMaster.join() && known === onExecutors.join() ? ids : undefined;
    });
  }

  /** Lists the tasks that have not ended. */
  async #tasksOfMaster(): Promise<string[]> {
    const { frameworks } = await askJson<{
      frameworks: { tasks: { id: string; state: TaskState }[] }[];
    }>(this.#master, '/state');
    return frameworks
      .flatMap(({ tasks }) => tasks.flatMap(({ id, state }) => (isTerminal(state) ? [] : [id])))
      .sort();
  }

  /** Lists the tasks that the executors have stored. */
  #tasksOfExecutors(): string[] {
    const files = globSync(`${this.#programs.directory}/agent/**/tasks.json`, {
      exclude: (name) => name === 'latest',
    });
    return files
      .flatMap((file) => (JSON.parse(readFileSync(file, 'utf8')) as [string, unknown][]).map(([id]) => id))
      .sort();
  }

  #apps(): Promise<{ apps: AppJson[] }> {
    return this.#call('GET', '/v2/apps?embed=apps.tasks&embed=apps.deployments') as Promise<{
      apps: AppJson[];
    }>;
  }

  async #leader(): Promise<SchedulerProcess> {
    return until('a scheduler leads', async () => {
      const { leader } = (await this.#call('GET', '/v2/leader')) as { leader: string };
      for (const one of this.#schedulers) if ((await one.url()) === `http://${leader}`) return one;
      return undefined;
    });
  }

  /** @param attempts each one at the next scheduler */
  async #call(method: string, route: string, body?: unknown, attempts = 100): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const scheduler = this.#schedulers[attempt % this.#schedulers.length];
        const response = await fetch(`${await scheduler?.url()}${route}`, {
          method,
          headers: { 'Content-Type': 'application/json' },
          signal: AbortSignal.timeout(10_000),
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

/** Returns the times of the marks, if the last one was logged. */
function marksIn(log: readonly string[]): number[] | undefined {
  const lines = log.flatMap((line) =>
    line.startsWith('{') ? [JSON.parse(line) as { msg: string; time: number }] : [],
  );
  const elected = lines.findIndex(({ msg }) => msg === MARKS[0]);
  if (elected < 0) return undefined;
  const times = MARKS.map((mark) => lines.slice(elected).find(({ msg }) => msg === mark)?.time);
  return times.every((time) => time !== undefined) ? times : undefined;
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
