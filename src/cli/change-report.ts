/** Reports the result of a command that changes hosts: as text, as JSON, and as the exit code. */

import { EXIT } from '../errors/mesosup-error.ts';
import { changesIn } from '../install/drift.ts';
import { type Access, accessOf, renderAccess } from '../install/operations/access.ts';
import type { ChangeResult } from '../install/operations/change-cluster.ts';
import { type HostTrouble, renderTroubles } from '../install/operations/outcome.ts';
import type { Session } from '../install/operations/session.ts';
import { count } from '../text/count.ts';

/** The `--json` output of a command that changes hosts. */
export interface ChangeReport {
  readonly cluster: string;
  readonly hosts: number;
  /** Changes made; on a host that failed, changes planned. */
  readonly changes: number;
  readonly declined: boolean;
  readonly troubles: readonly HostTrouble[];
  readonly leftOut: readonly string[];
  /** By host: users and groups that packages left behind. */
  readonly accounts: Readonly<Record<string, string>>;
  /** By host: packages that `uninstall` could not install again. */
  readonly unrestored: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** The id of the record of the run, for `mesosup logs --run`. */
  readonly run?: string;
  readonly access?: Access;
}

/** Prints the result and sets the exit code. */
export function reportChange(
  session: Session,
  result: ChangeResult,
  say: (text: string) => void,
  logsCommand: (run: string) => string,
): ChangeReport {
  const { plan, troubles, leftOut, accounts, unrestored } = result;
  const seconds = performance.now() / 1000;
  const changedHostCount = plan.hosts.filter(({ items }) => items.length > 0).length;
  const changes = result.applied ? changesIn(plan) : 0;
  const time = seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  if (result.declined) say('Nothing was changed.');
  else if (changes === 0) say(`no changes on ${count(plan.hosts.length, 'host')}, ${time}`);
  else if (troubles.length === 0)
    say(`${count(changes, 'change')} on ${count(changedHostCount, 'host')}, ${time}`);
  if (troubles.length > 0) {
    say(`${renderTroubles(troubles)}\nRun the same command again to resume.`);
    if (result.run !== undefined) say(`What the run did and said on each host: ${logsCommand(result.run)}`);
  }
  for (const [host, left] of Object.entries(accounts))
    say(`${host}: packages left these accounts behind: ${left}`);
  for (const [host, packages] of Object.entries(unrestored)) {
    say(`${host}: not restored, because no repository on the host has it: ${packages}`);
  }
  if (leftOut.length > 0) {
    say(`Left out: ${leftOut.join(', ')}. Fix the problems above and run the same command again.`);
  }
  if (result.declined || troubles.length > 0 || leftOut.length > 0) process.exitCode = EXIT.failed;
  const { secretsFile, authorityFile } = session.state;
  const files = { secretsFile, ...(result.usesTls && { authorityFile }) };
  const access = result.facts && accessOf(session.cluster, result.facts, files, result.operator);
  if (access) say(`${session.cluster.name} is healthy\n${renderAccess(access)}`);
  return {
    cluster: session.cluster.name,
    hosts: session.cluster.hosts.length,
    changes,
    declined: result.declined,
    troubles,
    leftOut,
    accounts,
    unrestored,
    seconds: Math.round(seconds * 1000) / 1000,
    ...(result.run !== undefined && { run: result.run }),
    ...(access && { access }),
  };
}
