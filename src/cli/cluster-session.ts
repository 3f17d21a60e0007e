/** Gives commands that connect to hosts their terminal, their handling of interrupts, and their session. */

import path from 'node:path';
import type { Command } from '@oclif/core';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { EXIT, Interrupted } from '../errors/mesosup-error.ts';
import type { Program } from '../install/operations/prepare.ts';
import type { Screen } from '../install/operations/screen.ts';
import { Session } from '../install/operations/session.ts';
import { printableLines } from '../text/printable.ts';
import { type ConnectFlags, connectOptions } from './flags/connect-flags.ts';

/** What a command works with while it is connected. */
export interface Connected {
  readonly session: Session;
  readonly program: Program;
  readonly screen: Screen;
  /** Aborts on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
}

/** The installation's root. oclif's own root is the `lib` directory in it. */
export function programOf({ config }: Pick<Command, 'config'>): Program {
  return { root: path.resolve(config.root, '..'), version: config.version };
}

/** @param input false forbids questions */
function screenFor(json: boolean, { input }: { readonly input: boolean }): Screen {
  const terminal = !json && Boolean(process.stdout.isTTY);
  return {
    silent: json,
    terminal,
    asks: input && terminal && Boolean(process.stdin.isTTY),
    note: (text) => {
      process.stderr.write(`${printableLines(text)}\n`);
    },
  };
}

const HOSTS_CONTINUE =
  'Interrupted. Hosts finish the changes that they have started. Run the same command again to follow them.';

/** Aborts on the first signal. A second one exits at once. */
function interruption(): AbortSignal {
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
 * Runs the body with a session, and always closes the session.
 * @param whenInterrupted the message while no host is being changed
 * @throws Interrupted as soon as a signal arrives; its message says whether hosts continue on their own
 */
export async function withSession<T>(
  command: Pick<Command, 'jsonEnabled' | 'config'>,
  loaded: LoadedCluster,
  flags: ConnectFlags,
  body: (connected: Connected) => Promise<T>,
  whenInterrupted = 'Interrupted. Nothing was changed.',
): Promise<T> {
  const program = programOf(command);
  const screen = screenFor(command.jsonEnabled(), flags);
  const signal = interruption();
  const session = await Session.begin(program.root, loaded, connectOptions(flags), screen);
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  const interrupt = () => reject(new Interrupted(session.atWork ? HOSTS_CONTINUE : whenInterrupted));
  signal.addEventListener('abort', interrupt);
  try {
    return await Promise.race([body({ session, program, screen, signal }), interrupted]);
  } finally {
    signal.removeEventListener('abort', interrupt);
    await session.close();
  }
}
