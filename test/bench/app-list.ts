/**
 * Measures `mesosup app list` with many apps and tasks, in turn with the start of the bare runtime and with a plain
 * request for the same answer.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { execa } from 'execa';
import { APP_FIELDS } from '../../src/apps/app-fields.ts';
import { RUNTIME_FLAGS } from '../../src/install/wanted/scheduler.ts';
import { median } from './figures.ts';

/** Medians in milliseconds. */
export interface ListFigures {
  readonly apps: number;
  readonly tasks: number;
  /** `node -e 0`. */
  readonly bareMs: number;
  /** From the request to the last byte of the answer. */
  readonly answerMs: number;
  readonly answerBytes: number;
  /** `mesosup app list` in all. */
  readonly listMs: number;
}

export interface ListOptions {
  readonly apps: number;
  /** Tasks of each app. */
  readonly each: number;
  readonly runs: number;
  /** Directory of the built program. */
  readonly dist: string;
  /** An empty directory for the compile cache and for the user's files. */
  readonly directory: string;
}

/** Health of tasks changed before each run, so that no answer can be a stored one. */
const CHANGES = 10;

export async function measureAppList({
  apps,
  each,
  runs,
  dist,
  directory,
}: ListOptions): Promise<ListFigures> {
  const file = path.join(import.meta.dirname, 'scheduler/api-process.ts');
  const child = fork(file, [String(apps), String(each)], { execArgv: RUNTIME_FLAGS });
  try {
    const [{ port, tasks }] = (await once(child, 'message')) as [{ port: number; tasks: number }];
    const url = `http://127.0.0.1:${port}`;
    const env = {
      XDG_CONFIG_HOME: directory,
      XDG_STATE_HOME: directory,
      NODE_COMPILE_CACHE: path.join(directory, 'kept'),
    };
    const run = async (program: string, args: readonly string[]) => {
      const began = performance.now();
      const { stdout } = await execa(path.join(dist, 'bin', program), args, { env });
      return { ms: performance.now() - began, lines: stdout.split('\n').length };
    };
    await run('mesosup', ['context', 'add', 'bench', url, '--use']);
    const change = async () => {
      const changed = once(child, 'message');
      child.send({ change: CHANGES });
      await changed;
    };
    const bare: number[] = [];
    const answers: number[] = [];
    const lists: number[] = [];
    let answerBytes = 0;
    // The first runs fill the compile cache, and are not counted.
    for (let i = -2; i < runs; i += 1) {
      const start = await run('node', ['-e', '0']);
      await change();
      const answer = await request(`${url}/v2/apps?fields=${APP_FIELDS.join()}`);
      await change();
      const list = await run('mesosup', ['app', 'list']);
      if (list.lines !== apps + 1) throw new Error(`the list has ${list.lines} lines`);
      if (i < 0) continue;
      bare.push(start.ms);
      answers.push(answer.ms);
      lists.push(list.ms);
      answerBytes = answer.bytes;
    }
    return {
      apps,
      tasks,
      bareMs: median(bare),
      answerMs: median(answers),
      answerBytes,
      listMs: median(lists),
    };
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

/** Sends a request on a new connection. */
async function request(url: string): Promise<{ ms: number; bytes: number }> {
  const began = performance.now();
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { agent: false }, resolve).once('error', reject),
  );
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode}`);
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  return { ms: performance.now() - began, bytes };
}
