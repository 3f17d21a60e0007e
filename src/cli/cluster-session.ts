/** Runs the work of a command that talks to hosts: its terminal, its interruption, its session. */

import path from 'node:path';
import type { Interfaces } from '@oclif/core';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { EXIT, Interrupted } from '../errors/mesosup-error.ts';
import type { Program } from '../install/operations/prepare.ts';
import type { Screen } from '../install/operations/screen.ts';
import { Session } from '../install/operations/session.ts';
import { type ConnectFlags, connectOptions } from './flags/connect-flags.ts';

/** oclif's own root is `lib` in the installation. */
export function programOf(config: Interfaces.Config): Program {
  return { root: path.resolve(config.root, '..'), version: config.version };
}

/** @param input false: nothing may be asked */
export function screenFor(json: boolean, { input }: { readonly input: boolean }): Screen {
  const terminal = !json && Boolean(process.stdout.isTTY);
  return {
    silent: json,
    terminal,
    asks: input && terminal && Boolean(process.stdin.isTTY),
    note: (text) => {
      process.stderr.write(`${text}\n`);
    },
  };
}

const GOES_ON =
  'Interrupted. The hosts finish what they began; run the same command again to see how it ends.';

/** Aborts on Ctrl-C and signals to end; a second Ctrl-C ends at once. */
export function interruption(): AbortSignal {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
      interrupt.abort(new Error(`interrupted by ${signal}`));
    });
  }
  return interrupt.signal;
}

/**
 * Runs the body with a session, and closes it whatever happens.
 * @throws Interrupted as soon as the signal comes, with what goes on without us
 */
export async function withSession<T>(
  program: Program,
  loaded: LoadedCluster,
  flags: ConnectFlags,
  screen: Screen,
  signal: AbortSignal,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.begin(program.root, loaded, connectOptions(flags), screen);
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const interrupt = () =>
    reject(new Interrupted(session.atWork ? GOES_ON : 'Interrupted; nothing was changed.'));
  signal.addEventListener('abort', interrupt);
  try {
    return await Promise.race([body(session), interrupted]);
  } finally {
    signal.removeEventListener('abort', interrupt);
    await session.close();
  }
}
