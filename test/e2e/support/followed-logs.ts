/** Follows the logs of services of a lab's cluster while its leading scheduler changes and a host is away. */

import { expect } from 'vitest';
import type { LabHost } from '../../lab/host.ts';
import { until } from '../demo-cluster.ts';
import { type LabCluster, PORTS } from './lab-cluster.ts';
import { Output } from './user-commands.ts';

/** A line of another host may be late by this much before the order of the output counts as wrong. */
const LATE_MS = 5000;

export interface Disturbance {
  /** A command on the host of the leading scheduler that makes another one lead. */
  readonly unseat: string;
  /** What the log of the host of the old leader says about it. */
  readonly says: RegExp;
  /** Cuts off the host. @returns a function that brings it back */
  readonly cutOff: (host: LabHost) => Promise<() => Promise<unknown>>;
}

/** Expects the end of the old leader, the election of the new one and the lines of a host that was away, in time order. */
export async function expectFollowed(
  cluster: LabCluster,
  { unseat, says, cutOff }: Disturbance,
): Promise<void> {
  const { hosts } = cluster.lab;
  const h3 = cluster.lab.host('h3');
  const first = await until('a scheduler leads', () => leaderOf(cluster));
  const following = cluster.start('logs', '-f', '--service', 'scheduler,janitor', '--since', '1h');
  const output = new Output(following);
  let back: (() => Promise<unknown>) | undefined;
  try {
    const begin = Date.now();
    for (const host of hosts) await writeLine(host);
    // Earlier lines of each host have been shown by then.
    await until('each host is followed', async () =>
      hosts.every(({ name }) => isWritten(output.text, name, begin)),
    );
    const began = output.text.length;
    await first.run(unseat);
    const next = await until('another scheduler leads', async () => {
      const found = await leaderOf(cluster);
      return found !== undefined && found !== first && found;
    });
    const elected = new RegExp(`Z ${next.name} scheduler +\\| .*elected: this scheduler leads`);
    await until(`${next.name} shows that it leads`, async () => elected.test(output.text.slice(began)));
    const seen = output.text.slice(began);
    const ended = new RegExp(`Z ${first.name} scheduler +\\| .*${says.source}`);
    expect(seen).toMatch(ended);
    expectTimeOrder(seen);

    back = await cutOff(h3);
    await output.shows(/^the connection to h3 was lost.*; trying again$/m);
    const lost = Date.now();
    await writeLine(h3);
    await back();
    back = undefined;
    await output.shows(/^h3: connected again$/m);
    await until('the lines from in between came', async () => isWritten(output.text, h3.name, lost));
  } finally {
    await back?.();
    following.kill('SIGINT');
    await following;
  }
  await cluster.healthy();
}

/** Makes the janitor of a host write to its log. */
async function writeLine(host: LabHost): Promise<void> {
  await host.run('systemctl start mesosup-janitor');
}

/** True if a line of the host's janitor was written since then. */
function isWritten(text: string, host: string, since: number): boolean {
  const times = [...text.matchAll(new RegExp(`^(\\S+Z) ${host} janitor `, 'gm'))].map(([, at = '']) =>
    Date.parse(at),
  );
  return times.some((time) => time >= since);
}

async function leaderOf(cluster: LabCluster): Promise<LabHost | undefined> {
  const { hosts } = cluster.lab;
  for (const host of hosts) {
    const answer = await cluster
      .api(host, '/v2/leader', { signal: AbortSignal.timeout(5000) })
      .catch(() => undefined);
    if (!answer?.ok) continue;
    const { leader } = (await answer.json()) as { leader: string };
    // A host with a name in Mesos is named by it.
    return hosts.find(({ name, address }) =>
      [name, address].some((one) => leader === `${one}:${PORTS.scheduler}`),
    );
  }
  return undefined;
}

function expectTimeOrder(text: string): void {
  let latest = 0;
  for (const [line, at = ''] of text.matchAll(/^(\S+Z) h\d .*$/gm)) {
    const time = Date.parse(at);
    expect({ line, late: latest - time > LATE_MS }).toEqual({ line, late: false });
    latest = Math.max(latest, time);
  }
}
