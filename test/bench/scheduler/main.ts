/**
 * Measures the speed of the scheduler:
 *
 *   npm run bench:scheduler [placement|updates|launches|api|state|large|soak …] [--agents N] [--tasks N] [--seed N] [--minutes N] [--former DIR]
 *
 * All of them by default, `soak` for 60 minutes; `large` with `--agents 50000 --tasks 1000000` takes many minutes and 10 GB. With `--former`, a checkout of another version, `api` and `state` measure both in turns; `api`
 * needs `npm run build` in both. Run it on an idle machine.
 */

import { cpus, loadavg, release } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Programs } from '../../contract/support/programs.ts';
import { askApi, CHANGES, LISTENERS, QUESTIONS } from './api.ts';
import { measureLarge } from './large.ts';
import { byMinimalFramework, byScheduler, COMMAND_APP } from './launches.ts';
import { place, updateCost } from './placement.ts';
import { soak } from './soak.ts';
import { measureState, type StateFigures } from './state.ts';

const ROUNDS = 5;
const LAUNCHED = 50;
const TASKS_OF_APP = 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    agents: { type: 'string', default: '10000' },
    tasks: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '60' },
    former: { type: 'string' },
  },
});
const [agents, tasks, seed] = [values.agents, values.tasks, values.seed].map(Number) as [
  number,
  number,
  number,
];

const own = path.resolve(import.meta.dirname, '../../..');
const checkouts = values.former === undefined ? [own] : [path.resolve(values.former), own];

const median = (list: readonly number[]) =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

const parts: Record<string, () => Promise<void>> = {
  async placement() {
    const figures = place(agents, tasks, Math.ceil(tasks / 100), seed);
    const rate = (figures.tasks / figures.coreMs) * 1000;
    console.log(
      `placement: ${figures.tasks} tasks of ${figures.apps} apps on ${figures.agents} agents, ${figures.offers} offers, seed ${seed}: ` +
        `${Math.round(figures.coreMs)} ms in the core, ${Math.round(rate)} tasks a second; ${Math.round(figures.wholeMs)} ms until all run, with the simulated Mesos`,
    );
  },
  async updates() {
    for (const apps of [100, 1000, 10_000]) {
      console.log(`updates: ${updateCost(apps).toFixed(1)} µs each, stored in memory, with ${apps} apps`);
    }
  },
  async launches() {
    await using programs = new Programs();
    const master = await programs.master();
    const resources = '--resources=cpus:4;mem:4096;disk:1000;ports:[31000-31009]';
    const workDir = `--work_dir=${programs.directory}/agent`;
    const flags = [`--master=${master.address}`, workDir, resources, '--no-systemd_enable_support'];
    await programs.start('agent', flags);
    const minimal: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      minimal.push(await byMinimalFramework(master.address, LAUNCHED));
      const directory = path.join(programs.directory, `bench${round}`);
      const flags = ['--master', master.address, '--framework_name', `bench${round}`];
      ours.push(await byScheduler(directory, flags, { ...COMMAND_APP, id: '/bench', instances: LAUNCHED }));
    }
    const [a, b] = [median(ours), median(minimal)];
    console.log(
      `launches: ${LAUNCHED} command tasks over the embedded Mesos, median of ${ROUNDS}: ` +
        `scheduler ${Math.round(a)} ms, minimal framework ${Math.round(b)} ms, ratio ${(a / b).toFixed(2)}`,
    );
  },
  async api() {
    const apps = Math.ceil(tasks / TASKS_OF_APP);
    const all = await askApi(checkouts, apps, TASKS_OF_APP);
    for (const [i, { answers, events, delayMs, rssMiB }] of all.entries()) {
      const shown = answers.map(({ medianMs, p99Ms, cpuMs, bytes }, question) => {
        const [url, encoding] = QUESTIONS[question] ?? [''];
        const size = `${(bytes / 2 ** 20).toFixed(2)} MiB`;
        return `${url}${encoding === undefined ? '' : ' gzipped'} p99 ${p99Ms.toFixed(1)} ms (median ${medianMs.toFixed(1)}, processor ${cpuMs.toFixed(1)}, ${size})`;
      });
      console.log(
        `api: ${apps * TASKS_OF_APP} running tasks of ${apps} apps, ${checkouts[i]}, the health of ${CHANGES} tasks changed before each request: ` +
          `${shown.join(', ')}; delay of the event loop p99 ${delayMs.toFixed(1)} ms; ` +
          `with ${LISTENERS} listeners and 50 updates a second, from an update to its event at the first, middle and last listener p99 ${events.firstMs.toFixed(1)}, ${events.middleMs.toFixed(1)}, ${events.lastMs.toFixed(1)} ms, ` +
          `${(events.storedInTime * 100).toFixed(1)} % stored within 5 ms, processor ${events.cpuMs.toFixed(1)} ms each; ` +
          `RSS of the scheduler ${Math.round(rssMiB.started)} MiB before the requests, ${Math.round(rssMiB.ended)} after, ${Math.round(rssMiB.listening)} with the listeners, ${Math.round(rssMiB.most)} at most`,
      );
    }
  },
  async large() {
    const apps = Math.ceil(tasks / 100);
    for (const checkout of checkouts) {
      console.log(`large: ${tasks} tasks of ${apps} apps on ${agents} agents, seed ${seed}, ${checkout}`);
      await measureLarge(checkout, agents, tasks, apps, seed, ({ phase, taskUs, longestMs, ...memory }) =>
        console.log(
          `large: ${phase}, ${taskUs.toFixed(1)} µs of processor time for each task (${Math.round(1e6 / taskUs)} a second), the longest step ${Math.round(longestMs)} ms; ` +
            `RSS of the scheduler ${memory.rssMiB} MiB, at most ${memory.mostMiB}; load ${loadavg()[0]?.toFixed(1)}`,
        ),
      );
    }
  },
  async soak() {
    const apps = Math.ceil(tasks / TASKS_OF_APP);
    const minutes = Number(values.minutes);
    console.log(`soak: ${apps * TASKS_OF_APP} tasks of ${apps} apps, ${minutes} minutes, ${own}`);
    await soak(own, apps, TASKS_OF_APP, minutes, ({ updates, heapMiB, mostRssMiB, timers, connections }) =>
      console.log(
        `soak: ${updates} updates, least heap ${heapMiB.toFixed(1)} MiB, RSS at most ${Math.round(mostRssMiB)} MiB, ${timers} timers, ${connections} connections`,
      ),
    );
  },
  async state() {
    const all = await measureState(tasks, checkouts, ROUNDS);
    for (const [i, runs] of all.entries()) {
      const of = (name: keyof StateFigures) => Math.round(median(runs.map((run) => run[name])));
      console.log(
        `state: ${of('tasks')} tasks, median of ${ROUNDS}, ${checkouts[i]}: read in ${of('loadMs')} ms, longest stall ${of('loadStallMs')} ms, ${of('heapMiB')} MiB; ` +
          `snapshot in ${of('snapshotMs')} ms, longest stall ${of('snapshotStallMs')} ms, ${of('updates')} updates meanwhile, the slowest stored after ${of('longestUpdateMs')} ms`,
      );
    }
  },
};

const [model = 'unknown'] = cpus().map((cpu) => cpu.model);
const load = loadavg()[0]?.toFixed(1);
console.log(`${cpus().length} × ${model}, Linux ${release()}, Node ${process.version}, load ${load}`);
const chosen = positionals.length > 0 ? positionals : Object.keys(parts);
for (const name of chosen) {
  const part = parts[name];
  if (!part) throw new TypeError(`'${name}' is none of ${Object.keys(parts).join(', ')}`);
  await part();
}
