/** Reads the scheduler's state from one of its hosts. */

import { hostsWith } from '../../cluster/topology.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { assemble } from '../script/host-scripts.ts';
import type { FactsByHost } from '../topology.ts';
import type { Session } from './session.ts';

/**
 * @returns a backup as `mesosup scheduler backup` writes it; undefined if no host has an installed scheduler
 * @throws MesosupError if the state can't be read, or no host with a scheduler can be reached
 */
export async function schedulerState(session: Session, facts: FactsByHost): Promise<string | undefined> {
  const { cluster } = session;
  const all = hostsWith(cluster, 'scheduler');
  const hosts = all.filter(({ name }) => facts.get(name)?.mesosup.cluster === cluster.name);
  const host = hosts.find(({ name }) => facts.get(name)?.scheduler.leads) ?? hosts[0];
  if (host === undefined) {
    const silent = all.filter(({ name }) => !facts.has(name)).map(({ name }) => name);
    if (silent.length === 0) return undefined;
    throw new MesosupError(`the scheduler's state can't be read: ${silent.join(', ')} can't be reached`, {
      remedy:
        'Make one of these hosts reachable, or leave out the state of the scheduler with --no-scheduler.',
    });
  }
  const script = assemble(session.scripts, ['environment.sh', 'scheduler-state.sh'], {}, ['scheduler_state']);
  const { stdout, stderr, code } = await session.host(host.name).run(script);
  if (code === 0 && stdout !== '') return stdout;
  throw new MesosupError(`${host.name}: the scheduler's state can't be read: ${stderr.trim().slice(-500)}`, {
    host: host.name,
    remedy: 'Fix this, or leave out the state of the scheduler with --no-scheduler.',
  });
}
