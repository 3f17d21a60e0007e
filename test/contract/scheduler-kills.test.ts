/**
 * Kills the scheduler with kill -9 at every write and every call. After each restart it must not have lost, duplicated or
 * left behind anything. The workload continues meanwhile.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isTerminal, type TaskState } from '../../src/mesos/types.ts';
import { Random } from '../../src/simulator/random.ts';
import { runs } from '../support/runs.ts';
import { askJson, Programs, processesOf } from './support/programs.ts';

const KILLS = Math.min(500, runs(5));
const seed = Number(process.env.MESOSUP_SOAK_SEED ?? 1);
/** Kinds of writes and calls at which it is killed, in turn; which of the first few of a kind is random. */
const CALLS = ['SUBSCRIBE', 'RECONCILE', 'REVIVE', 'ACCEPT', 'DECLINE', 'SUPPRESS', 'KILL', 'ACKNOWLEDGE'];
const POINTS = [
  'in the midst of appendFile',
  ...['appendFile', 'datasync', 'rename', ...CALLS].flatMap((name) => [`before ${name}`, `after ${name}`]),
];
const MAX_OF_A_KIND = 3;
/** A point that is not reached within this time is skipped: a start without tasks has no RECONCILE. */
const NOT_REACHED_MS = 5000;
/** Coprime to the number of points, so that few kills are spread over all kinds. */
const STEP = 7;
const LOOK_AFTER = 50;
const MAX_INSTANCES = 3;
const APPS = ['/a', '/b', '/c/d'];
const DEADLINE = { timeout: 90_000, interval: 200 };
const MAIN = fileURLToPath(new URL('../../src/scheduler/main.ts', import.meta.url));
const KILL_AT = fileURLToPath(new URL('../scheduler/kill-at.ts', import.meta.url));

class Scheduler {
  readonly child: ChildProcess;
  readonly url: Promise<string | undefined>;
  readonly said: string[] = [];

  constructor(master: string, directory: string, killAt?: string) {
    const flags = {
      master,
      http_address: '127.0.0.1',
      http_port: '0',
      data_dir: directory,
      framework_name: 'killed',
      reconciliation_initial_delay: '500',
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
    this.child = spawn(process.execPath, ['--import', KILL_AT, MAIN, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...(killAt !== undefined && { MESOSUP_TEST_KILL_AT: killAt }) },
    });
    if (!this.child.stderr) throw new Error('the scheduler has no stderr');
    const lines = createInterface({ input: this.child.stderr });
    this.url = new Promise((resolve) => {
      this.child.once('exit', () => resolve(undefined));
      lines.on('line', (line) => {
        this.said.push(line);
        const url = /listening on (http:[^"\s]+)/.exec(line)?.[1];
        if (url) resolve(url);
      });
    });
  }

  get over(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async end(): Promise<void> {
    if (this.over) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** The possible sizes of each app: a single number once a change was confirmed; -1 for a missing app. */
class Wanted {
  readonly possible = new Map<string, Set<number>>(APPS.map((id) => [id, new Set([-1])]));

  /** Makes a random change. */
  async change(url: string, random: Random): Promise<void> {
    const id = random.pick(APPS) ?? '';
    const known = this.possible.get(id) ?? new Set();
    const instances = random.integer(0, MAX_INSTANCES);
    const kind = known.has(-1) ? 0 : random.integer(1, 10);
    if (kind === 0) await this.#make(url, 'POST', '/v2/apps', id, instances, { ...APP, id, instances });
    else if (kind <= 6) await this.#make(url, 'PUT', `/v2/apps${id}`, id, instances, { instances });
    else if (kind <= 8) await this.#make(url, 'POST', `/v2/apps${id}/restart`, id, undefined, {});
    else await this.#make(url, 'DELETE', `/v2/apps${id}`, id, -1);
  }

  async #make(url: string, method: string, route: string, id: string, becomes?: number, body?: unknown) {
    const possible = this.possible.get(id) ?? new Set();
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { 'Content-Type': 'application/json', Connection: 'close' };
    // Without an answer the change may or may not have been made.
    if (becomes !== undefined) possible.add(becomes);
    const { status } = await fetch(`${url}${route}?force=true`, {
      method,
      ...(body === undefined ? {} : { headers }),
      ...sent,
    });
    if (status >= 500) throw new Error(`${method} ${route}: ${status}`);
    if (status === 404) this.possible.set(id, new Set([-1]));
    else if (status < 300 && becomes !== undefined) this.possible.set(id, new Set([becomes]));
    // 409: the app exists, with one of its possible sizes.
    else if (status === 409) possible.delete(-1);
  }
}

const APP = { cmd: 'exec sleep 100100', cpus: 0.01, mem: 1, taskKillGracePeriodSeconds: 1 };

interface Seen {
  apps: { id: string; instances: number; tasks: { id: string; state: string }[]; deployments: unknown[] }[];
}
interface MasterState {
  frameworks: { name: string; tasks: { id: string; state: TaskState }[] }[];
}

/** Task ids as known to the scheduler, the master and the agent. */
async function readTaskIds(url: string, master: string, directory: string) {
  const { apps } = await askJson<Seen>(url.slice('http://'.length), '/v2/apps?embed=apps.tasks');
  const { frameworks } = await askJson<MasterState>(master, '/state');
  // Several frameworks if the scheduler died before it stored its id: the others have no tasks and end by themselves.
  const ours = frameworks.filter(({ name }) => name === 'killed');
  const processes = processesOf(directory)
    .filter(({ commandLine }) => commandLine.startsWith('sleep 100100'))
    .map(({ pid }) => /MESOS_TASK_ID=([^\0]+)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1]);
  return {
    apps,
    known: apps.flatMap(({ tasks }) => tasks.map(({ id }) => id)).sort(),
    // The master keeps an ended task until its update is acknowledged, which is repeated with increasing delays.
    master: ours
      .flatMap(({ tasks }) => tasks.flatMap(({ id, state }) => (isTerminal(state) ? [] : [id])))
      .sort(),
    processes: processes.sort(),
  };
}

it(`loses, duplicates and leaves behind nothing in ${KILLS} kills`, { timeout: 3_600_000 }, async () => {
  await using programs = new Programs();
  const master = await programs.master();
  const resources = '--resources=cpus:4;mem:4096;disk:1000;ports:[31000-31009]';
  const agent = [
    `--master=${master.address}`,
    `--work_dir=${path.join(programs.directory, 'agent')}`,
    resources,
    '--no-systemd_enable_support',
  ];
  await programs.start('agent', agent);
  const directory = path.join(programs.directory, 'scheduler');
  const random = new Random(seed);
  const wanted = new Wanted();
  const points = new Map<string, number>();
  let kills = 0;

  const lookAtAll = async (): Promise<void> => {
    const scheduler = new Scheduler(master.address, directory);
    try {
      const url = await scheduler.url;
      if (url === undefined) throw new Error(`it did not start: ${scheduler.said.join('\n')}`);
      await expect
        .poll(async () => {
          const { apps, known, ...others } = await readTaskIds(url, master.address, programs.directory);
          const unfinished = apps.filter(
            (one) => one.tasks.length !== one.instances || one.deployments.length > 0,
          );
          return { unfinished, ...others, known };
        }, DEADLINE)
        .toSatisfy(({ unfinished, known, master: there, processes }) => {
          const same = [there, processes].every((ids) => JSON.stringify(ids) === JSON.stringify(known));
          return unfinished.length === 0 && same;
        });
      const { apps } = await readTaskIds(url, master.address, programs.directory);
      for (const [id, possible] of wanted.possible) {
        const instances = apps.find((one) => one.id === id)?.instances ?? -1;
        expect([...possible], id).toContain(instances);
        wanted.possible.set(id, new Set([instances]));
      }
    } finally {
      await scheduler.end();
    }
  };

  for (let i = 0; kills < KILLS; i += 1) {
    const point = POINTS[(i * STEP) % POINTS.length] ?? '';
    const scheduler = new Scheduler(
      master.address,
      directory,
      `${random.integer(1, MAX_OF_A_KIND)} ${point}`,
    );
    const end = Date.now() + NOT_REACHED_MS;
    const url = await scheduler.url;
    while (url !== undefined && !scheduler.over && Date.now() < end) {
      await wanted.change(url, random).catch((error: unknown) => {
        if (!(error instanceof TypeError)) throw error;
      });
      await sleep(random.integer(0, 200));
    }
    const reached = scheduler.over;
    await scheduler.end();
    const last = scheduler.said.at(-1) ?? '';
    if (reached) expect(last, scheduler.said.join('\n')).toBe(`killed ${point}`);
    const name = reached ? last : `killed, though not ${point}`;
    points.set(name, (points.get(name) ?? 0) + 1);
    kills += 1;
    if (kills % LOOK_AFTER === 0) await lookAtAll();
  }
  await lookAtAll();
  console.log(`seed ${seed}, ${kills} kills:`, Object.fromEntries([...points].sort()));
});
