/** Reads hosts on which others installed Mesos, in one round trip each. Changes nothing on them. */

import { HostError } from '../../hosts/host.ts';
import type { AdoptedHost } from '../adopt/adopted-host.ts';
import type { Problem } from '../plan.ts';
import { adoptScript, parseAdopted } from '../script/adopt-script.ts';
import { askConcurrently } from './screen.ts';
import { problemOf, type Session } from './session.ts';

export interface ReadHosts {
  /** By host, in the spec's order. */
  readonly found: ReadonlyMap<string, AdoptedHost>;
  /** A problem for each host that can't be read. */
  readonly problems: readonly Problem[];
}

export async function readAdopted(session: Session): Promise<ReadHosts> {
  const script = adoptScript(session.scripts);
  const { hosts } = session.cluster;
  const answers = await askConcurrently(
    session.screen,
    'Reading the hosts',
    hosts.map(({ name }) => name),
    session.atOnce,
    async (name) => {
      const target = hosts.find((one) => one.name === name);
      if (!target) throw new TypeError(`the cluster has no host ${name}`);
      // Not `session.host`, which writes the answer, with secrets that are not known yet, into the log.
      return readHost(name, () => session.hosts.open(target).run(script));
    },
  );
  const found = new Map<string, AdoptedHost>();
  const problems: Problem[] = [];
  for (const [name, answer] of answers) {
    if (answer instanceof HostError) problems.push(problemOf(answer));
    else found.set(name, answer);
  }
  return { found, problems };
}

async function readHost(
  name: string,
  run: () => Promise<{ readonly stdout: string; readonly stderr: string }>,
): Promise<AdoptedHost | HostError> {
  try {
    return parseAdopted((await run()).stdout);
  } catch (error) {
    if (error instanceof HostError) return error;
    return new HostError(
      name,
      'root',
      `${name}: the host gave no complete answer`,
      'Check that /bin/sh, awk, grep, sed, base64 and systemctl work for root on the host.',
      error,
    );
  }
}
