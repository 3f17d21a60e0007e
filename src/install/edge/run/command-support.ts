/** What commands that talk to hosts need around their work: who looks on, who interrupts, and how it ended. */

import path from 'node:path';
import type { Interfaces } from '@oclif/core';
import type { LoadedCluster } from '../../../cluster/edge/load.ts';
import { EXIT, Interrupted, UsageError } from '../../../errors/mesosup-error.ts';
import { count } from '../../../text/count.ts';
import { changesIn } from '../../drift.ts';
import { type Access, accessOf, renderAccess } from './access.ts';
import type { ChangeResult } from './change.ts';
import type { ConnectFlags } from './connect-flags.ts';
import { type HostTrouble, renderTroubles } from './outcome.ts';
import type { Program } from './prepare.ts';
import type { Screen } from './screen.ts';
import { Session } from './session.ts';

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
  const session = await Session.begin(program.root, loaded, flags, screen);
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

/** @throws UsageError where nobody can be asked */
export async function confirmed(message: string, screen: Screen): Promise<boolean> {
  mustBeAsked(screen);
  const { default: inquirer } = await import('inquirer');
  const { answer } = await inquirer.prompt([{ type: 'confirm', name: 'answer', message, default: false }]);
  return answer;
}

/** For what can't be taken back: the name has to be typed. @throws UsageError where nobody can be asked */
export async function confirmedByName(name: string, screen: Screen): Promise<boolean> {
  mustBeAsked(screen);
  const { default: inquirer } = await import('inquirer');
  const message = `Type the name of the cluster (${name}) to take it off these hosts`;
  const { answer } = await inquirer.prompt([{ type: 'input', name: 'answer', message }]);
  return answer === name;
}

function mustBeAsked(screen: Screen): void {
  if (screen.asks) return;
  throw new UsageError('nobody can be asked here: add --yes to change the hosts without a question');
}

/** What a command that changed hosts answers with --json. */
export interface ChangeReport {
  readonly cluster: string;
  readonly hosts: number;
  /** Done, or begun where there was trouble. */
  readonly changes: number;
  readonly troubles: readonly HostTrouble[];
  readonly leftOut: readonly string[];
  /** By host: users and groups that packages left behind. */
  readonly accounts: Readonly<Record<string, string>>;
  /** By host: packages that an uninstall could not install again. */
  readonly unrestored: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly access?: Access;
}

/** Tells how it ended, and sets the exit code. */
export function report(session: Session, result: ChangeResult, say: (text: string) => void): ChangeReport {
  const { plan, troubles, leftOut, accounts, unrestored } = result;
  const seconds = performance.now() / 1000;
  const touched = plan.hosts.filter(({ items }) => items.length > 0).length;
  const changes = result.applied ? changesIn(plan) : 0;
  const time = seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  if (result.declined) say('Nothing was changed.');
  else if (changes === 0) say(`no changes on ${count(plan.hosts.length, 'host')}, ${time}`);
  else if (troubles.length === 0) say(`${count(changes, 'change')} on ${count(touched, 'host')}, ${time}`);
  if (troubles.length > 0) {
    say(`${renderTroubles(troubles)}\nRun the same command again: it goes on where it stopped.`);
  }
  for (const [host, left] of Object.entries(accounts)) say(`${host}: packages leave behind: ${left}`);
  for (const [host, packages] of Object.entries(unrestored)) {
    say(`${host}: not restored, since no repository of the host has it: ${packages}`);
  }
  if (leftOut.length > 0) {
    say(`Left out: ${leftOut.join(', ')}. Fix what is named above, and run the same command again.`);
  }
  if (result.declined || troubles.length > 0 || leftOut.length > 0) process.exitCode = EXIT.failed;
  const access = result.facts && accessOf(session.cluster, result.facts, session.state.secretsFile);
  if (access) say(`${session.cluster.name} is healthy\n${renderAccess(access)}`);
  return {
    cluster: session.cluster.name,
    hosts: session.cluster.hosts.length,
    changes,
    troubles,
    leftOut,
    accounts,
    unrestored,
    seconds: Math.round(seconds * 1000) / 1000,
    ...(access && { access }),
  };
}
