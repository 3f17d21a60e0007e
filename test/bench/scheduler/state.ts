/** Measures how long the scheduler takes to read a large state, and how far that and a snapshot stall everything else. */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RUNTIME_FLAGS } from '../../../src/install/wanted/scheduler.ts';

export interface StateFigures {
  readonly tasks: number;
  readonly loadMs: number;
  /** The longest delay of the event loop meanwhile. */
  readonly loadStallMs: number;
  /** Used for the state. */
  readonly heapMiB: number;
  readonly snapshotMs: number;
  readonly snapshotStallMs: number;
  /** Task updates during the snapshot, and the time until the slowest of them was stored. */
  readonly updates: number;
  readonly longestUpdateMs: number;
}

/** @param checkouts whose sources are measured in turns @returns the figures of each run, by checkout */
export async function measureState(
  tasks: number,
  checkouts: readonly string[],
  runs: number,
): Promise<StateFigures[][]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-bench-'));
  const journal = path.join(directory, 'journal');
  const all: StateFigures[][] = checkouts.map(() => []);
  try {
    await measure(checkouts[0] ?? '', journal, tasks);
    for (let run = 0; run < runs; run += 1) {
      for (const [i, checkout] of checkouts.entries()) {
        const copy = path.join(directory, `${run}-${i}`);
        cpSync(journal, copy, { recursive: true });
        const figures = await measure(checkout, copy, tasks);
        if (figures) all[i]?.push(figures);
        rmSync(copy, { recursive: true });
      }
    }
    return all;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function measure(checkout: string, journal: string, tasks: number): Promise<StateFigures | undefined> {
  const child = fork(path.join(import.meta.dirname, 'state-process.ts'), [checkout, journal, String(tasks)], {
    execArgv: [...RUNTIME_FLAGS, '--expose-gc'],
  });
  let figures: StateFigures | undefined;
  child.on('message', (message) => {
    figures = message as StateFigures;
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the measured process ended with ${code}`);
  return figures;
}
