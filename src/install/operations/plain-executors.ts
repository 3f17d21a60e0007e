/** Finds the executors that would lose their agent when it takes no plain text. */

import { hostsWith } from '../../cluster/topology.ts';
import { assemble } from '../script/host-scripts.ts';
import { askConcurrently } from './screen.ts';
import type { Session } from './session.ts';

/** @returns the number of such executors by host, without hosts that have none @throws HostError */
export async function plainExecutors(session: Session): Promise<ReadonlyMap<string, number>> {
  const script = assemble(session.scripts, ['environment.sh', 'plain-executors.sh'], {}, ['plain_executors']);
  const names = hostsWith(session.cluster, 'agent').map(({ name }) => name);
  const found = await askConcurrently(
    session.screen,
    'Looking for executors without TLS',
    names,
    session.atOnce,
    async (name) => {
      const lines: string[] = [];
      await session.host(name).run(script, { onLine: (line) => lines.push(line) });
      return lines.length;
    },
  );
  return new Map([...found].filter(([, count]) => count > 0));
}
