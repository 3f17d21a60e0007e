/**
 * Measures the start of the program in comparison with the bare runtime: `npm run bench:cli [runs]`, in a built checkout.
 * The commands run in turn, so that other load affects all of them equally. The last lines are starts without the
 * compile cache, like the first start after an installation. At the end, `mesosup app list` with 1,000 apps of 10,000 tasks:
 in all, and beyond the API's answer, which a plain request for the same measures.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { measureAppList } from './app-list.ts';
import { machine, median } from './figures.ts';

const runs = Number(process.argv[2] ?? 21);
const dist = path.resolve(import.meta.dirname, '../../dist');
const node = path.join(dist, 'bin/node');
const mesosup = path.join(dist, 'bin/mesosup');

interface Start {
  readonly title: string;
  readonly command: readonly [string, ...string[]];
  /** Limit, as a multiple of the bare runtime's start. */
  readonly within?: number;
  /** True to start without a compile cache. */
  readonly first?: boolean;
}

const starts: readonly Start[] = [
  { title: 'node -e 0', command: [node, '-e', '0'] },
  { title: 'mesosup --version', command: [mesosup, '--version'], within: 1.5 },
  { title: 'mesosup --help', command: [mesosup, '--help'], within: 1.5 },
  { title: 'mesosup status --help', command: [mesosup, 'status', '--help'], within: 1.5 },
  { title: 'mesosup --version, first run', command: [mesosup, '--version'], first: true },
  { title: 'mesosup status --help, first run', command: [mesosup, 'status', '--help'], first: true },
];

const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-bench-'));
let empty = 0;

/** @returns milliseconds */
async function time({ command: [file, ...args], first }: Start): Promise<number> {
  empty += 1;
  const cache = path.join(directory, first ? `empty-${empty}` : 'kept');
  const began = performance.now();
  await execa(file, args, { env: { NODE_COMPILE_CACHE: cache }, stdio: 'ignore' });
  return performance.now() - began;
}

try {
  const times = new Map<Start, number[]>(starts.map((start) => [start, []]));
  for (const start of starts) await time(start);
  for (let i = 0; i < runs; i += 1) {
    for (const [start, taken] of times) taken.push(await time(start));
  }
  console.log(`${machine()}; median of ${runs}`);
  const bare = median(times.values().next().value ?? []);
  for (const [{ title, within }, taken] of times) {
    const ratio = median(taken) / bare;
    const verdict =
      within === undefined ? '' : ratio <= within ? `  within ${within}` : `  NOT within ${within}`;
    console.log(
      `${title.padEnd(34)}${median(taken).toFixed(0).padStart(4)} ms  ${ratio.toFixed(2)}${verdict}`,
    );
  }
  const list = await measureAppList({ apps: 1000, each: 10, runs, dist, directory });
  const { bareMs, answerMs, answerBytes, listMs } = list;
  const ratio = (listMs - answerMs) / bareMs;
  const row = (title: string, figure: string, isWithin: boolean, within: string) =>
    console.log(`${title.padEnd(34)}${figure}  ${isWithin ? '' : 'NOT '}within ${within}`);
  const ms = (value: number) => `${value.toFixed(0).padStart(4)} ms`;
  console.log(`${list.apps} apps of ${list.tasks} tasks: node -e 0 ${ms(bareMs).trim()}`);
  console.log(`${'answer of the API'.padEnd(34)}${ms(answerMs)}  ${(answerBytes / 1024).toFixed(0)} KiB`);
  row('mesosup app list', ms(listMs), listMs < 1000, '1 s');
  row('beyond the answer', `${ms(listMs - answerMs)}  ${ratio.toFixed(2)}`, ratio < 3, '3 starts');
} finally {
  await rm(directory, { recursive: true });
}
