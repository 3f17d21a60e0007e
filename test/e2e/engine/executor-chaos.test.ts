/**
 * Kills the parts that run 20 containers, with kill -9 at random moments: the executor's worker and supervisor, the
 * agent, dockerd (with live-restore), and containers. In the end the wanted number runs, and Docker, the agent, the
 * master and the scheduler know the same tasks.
 */

import { glob, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { DockerError } from '../../../src/docker/connection.ts';
import { isTerminal, type TaskState } from '../../../src/mesos/types.ts';
import { Random } from '../../../src/simulator/random.ts';
import { restartEmbedded } from '../../contract/support/embedded.ts';
import { askJson } from '../../contract/support/programs.ts';
import { runs } from '../../support/runs.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { makeExecutorDist } from '../support/executor-process.ts';
import { OwnDocker } from '../support/own-docker.ts';
import { type SchedulerCluster, startSchedulerCluster } from '../support/scheduler-cluster.ts';

const KILLS = Math.min(200, runs(10));
const seed = Number(process.env.MESOSUP_SOAK_SEED ?? 1);
const INSTANCES = 20;
/** Number of kills between two checks of everything. */
const CHECK_AFTER = 4;
const LONGEST_WAIT_MS = 1500;
/** Time in which the last kill shows everywhere, usually. */
const SETTLE_MS = 1000;
const DEADLINE = { timeout: 180_000, interval: 500 };
const VICTIMS = ['worker', 'supervisor', 'agent', 'dockerd', 'container', 'removed container'] as const;
type Victim = (typeof VICTIMS)[number];

/** Prints numbered lines. */
const APP = {
  id: '/chaos',
  instances: INSTANCES,
  cpus: 0.05,
  mem: 16,
  args: ['/bin/sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.5; done'],
  container: { type: 'DOCKER', docker: { image: BUSYBOX } },
  taskKillGracePeriodSeconds: 0.5,
  backoffSeconds: 0,
  maxLaunchDelaySeconds: 1,
};

interface TaskJson {
  id: string;
  state: TaskState;
}
interface StateJson {
  frameworks: { tasks?: TaskJson[]; executors?: { tasks: TaskJson[] }[] }[];
}

class Chaos {
  readonly #cluster: SchedulerCluster;
  readonly #docker: OwnDocker;
  readonly #random = new Random(seed);
  /** The victims of the next kills, so that few kills concern each of them. */
  #bag: Victim[] = [];
  /** The states of each task, in the order of their events. */
  readonly states = new Map<string, TaskState[]>();
  readonly kills = new Map<Victim, number>();

  constructor(cluster: SchedulerCluster, docker: OwnDocker) {
    this.#cluster = cluster;
    this.#docker = docker;
  }

  /** Records the states of all tasks, until the signal aborts. */
  async listen(signal: AbortSignal): Promise<void> {
    const url = `${this.#cluster.url}/v2/events?event_type=status_update_event`;
    const { body } = await fetch(url, { headers: { Accept: 'text/event-stream' }, signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines.filter((one) => one.startsWith('data: '))) {
        const { taskId, taskStatus } = JSON.parse(line.slice(6)) as { taskId: string; taskStatus: TaskState };
        this.states.set(taskId, [...(this.states.get(taskId) ?? []), taskStatus]);
      }
    }
  }

  async killSomething(): Promise<void> {
    if (this.#bag.length === 0) this.#bag = [...VICTIMS];
    const victim = this.#random.pick(this.#bag) ?? 'worker';
    this.#bag = this.#bag.filter((one) => one !== victim);
    this.kills.set(victim, (this.kills.get(victim) ?? 0) + 1);
    await this.#kill(victim);
    await sleep(this.#random.integer(0, LONGEST_WAIT_MS));
  }

  async #kill(victim: Victim): Promise<void> {
    if (victim === 'agent') {
      await restartEmbedded(this.#cluster.mesos, 'agent');
    } else if (victim === 'dockerd') {
      await this.#docker.stop('SIGKILL');
      await sleep(this.#random.integer(0, LONGEST_WAIT_MS));
      await this.#docker.start();
    } else if (victim === 'worker' || victim === 'supervisor') {
      const executor = await this.#one(() => this.#executors());
      killIfAlive(executor[victim]);
    } else {
      const { Id } = await this.#one(async () =>
        (await this.#containers()).filter(({ State }) => State === 'running'),
      );
      const call =
        victim === 'container'
          ? this.#docker.engine.killContainer(Id)
          : this.#docker.engine.removeContainer(Id);
      await call.catch((error: unknown) => {
        // It has ended by itself.
        if (!(error instanceof DockerError)) throw error;
      });
    }
  }

  /** Waits until there is one: shortly after a supervisor's death, nothing runs. */
  async #one<T>(list: () => Promise<T[]>): Promise<T> {
    for (const end = Date.now() + DEADLINE.timeout; ; ) {
      const found = this.#random.pick(await list());
      if (found !== undefined) return found;
      if (Date.now() > end) throw new Error('nothing runs that could be killed');
      await sleep(100);
    }
  }

  async #containers() {
    return await this.#docker.engine.listContainers({ 'mesosup.task': undefined });
  }

  /** The executors that live, by the process ids that their sandboxes hold. */
  async #executors(): Promise<{ supervisor: number; worker: number }[]> {
    const sandboxes = new Set(
      (await this.#containers()).map(({ Labels }) => Labels['mesosup.sandbox'] ?? ''),
    );
    const found = [];
    for (const sandbox of [...sandboxes].sort()) {
      const text = await readFile(path.join(sandbox, 'supervisor.pid'), 'utf8').catch(() => '');
      const supervisor = Number(text.split(' ')[0]);
      const children = `/proc/${supervisor}/task/${supervisor}/children`;
      const worker = Number((await readFile(children, 'utf8').catch(() => '')).trim().split(' ')[0]);
      if (supervisor > 0 && worker > 0) found.push({ supervisor, worker });
    }
    return found;
  }

  /** The tasks that run, as each part knows them; `over`: what should not exist. */
  async see() {
    const { mesos, url } = this.#cluster;
    const [containers, { tasks }, agent, master, deployments] = await Promise.all([
      this.#containers(),
      askJson<{ tasks: TaskJson[] }>(url.slice('http://'.length), '/v2/apps/chaos/tasks'),
      askJson<StateJson>(mesos.agent, '/state'),
      askJson<StateJson>(mesos.master, '/state'),
      askJson<unknown[]>(url.slice('http://'.length), '/v2/deployments'),
    ]);
    const ofAgent = agent.frameworks.flatMap(({ executors = [] }) => executors.flatMap((one) => one.tasks));
    const ofMaster = master.frameworks.flatMap((one) => one.tasks ?? []);
    const namesOf = (list: readonly TaskJson[]) => list.map(({ id, state }) => `${id} ${state}`).sort();
    return {
      // An ended task stays until its update is acknowledged.
      agent: namesOf(ofAgent.filter(({ state }) => !isTerminal(state))),
      master: namesOf(ofMaster.filter(({ state }) => !isTerminal(state))),
      scheduler: namesOf(tasks),
      docker: containers
        .map(({ Labels, State }) => `${Labels['mesosup.task']} TASK_${State.toUpperCase()}`)
        .sort(),
      deployments: deployments.length,
    };
  }

  /** Waits until the wanted number runs, and everything that knows tasks knows the same. */
  async check(): Promise<void> {
    await sleep(SETTLE_MS);
    await expect
      .poll(() => this.see().catch((error: unknown) => ({ error: String(error) })), DEADLINE)
      .toSatisfy((seen: Awaited<ReturnType<Chaos['see']>> | { error: string }) => {
        if ('error' in seen) return false;
        const { agent, master, scheduler, docker, deployments } = seen;
        const same = [agent, master, docker].every(
          (one) => JSON.stringify(one) === JSON.stringify(scheduler),
        );
        const all = scheduler.length === INSTANCES && scheduler.every((one) => one.endsWith(' TASK_RUNNING'));
        return same && all && deployments === 0;
      });
    for (const [id, states] of this.states) {
      const end = states.findIndex(isTerminal);
      expect(states.slice(end === -1 ? states.length : end + 1), `${id}: ${states.join(', ')}`).toEqual([]);
    }
    await this.#checkLogs();
  }

  /** No line of any task, running or not, comes twice or in another order. @returns the number of lines */
  async checkAllLogs(): Promise<number> {
    let count = 0;
    for await (const file of glob(path.join(this.#cluster.mesos.directory, 'agent/**/tasks/*/stdout'))) {
      const numbers = (await linesOf(file)).map(Number);
      const wrong = numbers.findIndex((number, i) => !(number > (numbers[i - 1] ?? 0)));
      expect(wrong === -1 ? [] : numbers.slice(Math.max(0, wrong - 2), wrong + 3), file).toEqual([]);
      count += numbers.length;
    }
    return count;
  }

  /**
   * Compares the lines in the sandboxes with those of Docker. What a killed dockerd had read and not yet written is lost
   * for everybody, so that a line may be missing in both.
   */
  async #checkLogs(): Promise<void> {
    for (const { Id, Labels } of await this.#containers()) {
      const file = path.join(
        Labels['mesosup.sandbox'] ?? '',
        'tasks',
        Labels['mesosup.task'] ?? '',
        'stdout',
      );
      const container = ['-H', `unix://${this.#docker.socket}`, 'logs', Id];
      const { stdout, exitCode } = await execa('docker', container, { reject: false });
      // A container that has just started may have printed nothing.
      const docker = stdout === '' ? [] : stdout.split('\n');
      // A kill shows late in some parts, so that the container may end now.
      const ends = async () => (await this.#docker.engine.inspectContainer(Id))?.State.Running !== true;
      if (exitCode !== 0 && (await ends())) continue;
      expect(exitCode).toBe(0);
      await expect
        .poll(async () => (await linesOf(file)).length >= docker.length || (await ends()), DEADLINE)
        .toBe(true);
      const lines = (await linesOf(file)).slice(0, docker.length);
      if (lines.length < docker.length && (await ends())) continue;
      expect(lines, Labels['mesosup.task']).toEqual(docker);
    }
  }
}

/** The complete lines of a task's output, with those of rotated files. */
async function linesOf(file: string): Promise<string[]> {
  const names = (await readdir(path.dirname(file))).filter((name) => /^stdout(\.\d+)?$/.test(name));
  names.sort((a, b) => Number(b.split('.')[1] ?? 0) - Number(a.split('.')[1] ?? 0));
  const texts = names.map((name) => readFile(path.join(path.dirname(file), name), 'utf8'));
  return (await Promise.all(texts)).join('').split('\n').slice(0, -1);
}

/** The process may end between the look at the process list and the signal. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

it(`keeps ${INSTANCES} containers through ${KILLS} kills`, { timeout: 3_600_000 }, async () => {
  const begun = Date.now();
  await makeTestImages();
  await using docker = await OwnDocker.start(true);
  const dist = await makeExecutorDist();
  const cluster = await startSchedulerCluster(
    { docker_executor: path.join(dist, 'executors/docker'), task_launch_timeout: '60000' },
    { DOCKER_HOST: `unix://${docker.socket}` },
  );
  const listening = new AbortController();
  const chaos = new Chaos(cluster, docker);
  try {
    const heard = chaos.listen(listening.signal).catch((error: unknown) => {
      if (!listening.signal.aborted) throw error;
    });
    const answer = await fetch(`${cluster.url}/v2/apps`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(APP),
    });
    expect(answer.status, await answer.text()).toBe(201);
    await chaos.check();
    for (let i = 1; i <= KILLS; i += 1) {
      await chaos.killSomething();
      if (i % CHECK_AFTER === 0) await chaos.check();
    }
    await chaos.check();
    // Nothing of the last kills comes late.
    await sleep(5 * SETTLE_MS);
    await chaos.check();
    listening.abort();
    await heard;
    const lines = await chaos.checkAllLogs();
    expect(lines).toBeGreaterThan(INSTANCES);
    const seconds = Math.round((Date.now() - begun) / 1000);
    const totals = Object.fromEntries([...chaos.kills].sort());
    console.log(
      `seed ${seed}, ${KILLS} kills, ${chaos.states.size} tasks, ${lines} lines, ${seconds} s:`,
      totals,
    );
  } finally {
    listening.abort();
    await cluster.stop();
    await execa('rm', ['-rf', dist]);
  }
});
