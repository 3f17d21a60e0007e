/** Starts the stand-in for Marathon as a process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SentApp, StandInOptions } from './model.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

export interface Marathon extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  post(path: string, body: unknown): Promise<void>;
  get<T>(path: string): Promise<T>;
  /** Creates or changes an app. */
  app(app: SentApp): Promise<void>;
  /** Ends it as an init system does. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export async function startMarathon(
  options: Pick<StandInOptions, 'master' | 'file'> & Partial<StandInOptions>,
): Promise<Marathon> {
  const all: StandInOptions = {
    port: 0,
    user: 'root',
    role: '*',
    failoverTimeout: 604_800,
    zkSessionTimeout: 4000,
    ...options,
  };
  const child = spawn(process.execPath, [MAIN, JSON.stringify(all)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  if (!child.stdout) throw new Error('the stand-in has no output');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(() => Promise.reject(new Error('the stand-in has ended'))),
  ])) as [string];
  const url = line.slice(line.indexOf('http://'));
  const post = async (path: string, body: unknown): Promise<void> => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
  };
  const stop: Marathon['stop'] = async (signal = 'SIGTERM') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended;
  };
  return {
    url,
    child,
    post,
    get: async <T>(path: string) => (await (await fetch(`${url}${path}`)).json()) as T,
    app: (app) => post('/v2/apps', app),
    stop,
    [Symbol.asyncDispose]: () => stop('SIGKILL'),
  };
}
