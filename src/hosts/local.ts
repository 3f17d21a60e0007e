/** This machine as a host: starts the same launcher as over SSH, in a local process. */

import { userInfo } from 'node:os';
import { execa } from 'execa';
import { type Host, HostError, type RunOptions, type RunResult } from './host.ts';
import { type LoginScripts, launch } from './launcher.ts';
import { type RunContext, runScript } from './script-run.ts';

export function localHost(name: string, login: LoginScripts, root: (user: string) => RunContext): Host {
  const running = new Set<AbortController>();
  const context = root(userInfo().username);
  return {
    name,
    async run(script: string, options: RunOptions = {}): Promise<RunResult> {
      const launched = launch(login, script);
      const stopping = new AbortController();
      running.add(stopping);
      try {
        const child = execa('/bin/sh', ['-c', launched.command], {
          buffer: false,
          reject: false,
          stdin: 'pipe',
          encoding: 'buffer',
          cancelSignal: stopping.signal,
        });
        const ended = child.then(({ exitCode, signal, cause }) => {
          if (exitCode === undefined && signal === undefined) {
            const message = `${name}: /bin/sh could not be started on this machine`;
            throw new HostError(
              name,
              'unreachable',
              message,
              'Check that this machine has free memory and processes.',
              cause,
            );
          }
          return { code: exitCode ?? null, signal: signal ?? null };
        });
        const { stdin, stdout, stderr } = child;
        return await runScript(
          { stdin, stdout, stderr, ended, stop: () => stopping.abort() },
          launched,
          options,
          context,
        );
      } finally {
        running.delete(stopping);
      }
    },
    async close() {
      for (const run of running) run.abort();
    },
  };
}
