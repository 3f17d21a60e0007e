/** Copies the replicated log of a single master to a second one, so that both have it before a quorum counts on both. */

import { hostNamed } from '../../cluster/choose-hosts.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { quote } from '../../hosts/quote.ts';
import { mesosLayout, presentFlag } from '../layout.ts';
import { assemble } from '../script/host-scripts.ts';
import { masterWorkDir } from '../work-dirs.ts';
import type { Session } from './session.ts';

/**
 * Stops the single master and copies its log to a host whose master has never run. With the log of one master only,
 * masters with a quorum of two would wait forever (log/recover.cpp). Does nothing if the present quorum is not 1.
 *
 * @returns true if the master has stopped, and waits for the run that starts both
 * @throws MesosupError if the log can't be copied
 */
export async function copyLog(session: Session, name: string): Promise<boolean> {
  const { cluster, scripts } = session;
  const host = hostNamed(cluster, name);
  const first = hostsWith(cluster, 'master').find((one) => one !== host);
  if (first === undefined) return false;
  const { facts } = await session.survey(await session.state.secrets(), [first.name]);
  const own = facts.get(first.name);
  if (own === undefined) return false;
  const { kind, master } = mesosLayout(cluster, own);
  if (presentFlag(kind, master, own, 'quorum') !== '1') return false;
  const run = async (on: string, call: string, directory: string, input?: Buffer) => {
    const values = { MASTER_SERVICE: master.service };
    const script = assemble(scripts, ['environment.sh', 'copy-log.sh'], values, [
      `${call} ${quote(directory)}`,
    ]);
    const { code, stdout, stderr } = await session.host(on).run(script, input ? { input } : {});
    if (code === 0) return stdout;
    throw new MesosupError(`${on}: the replicated log can't be copied: ${stderr.trim().slice(-500)}`, {
      host: on,
      remedy: `Fix this, then run the same command again. Until then the master on ${first.name} is stopped; to start it: service ${master.service} start`,
    });
  };
  session.atWork = true;
  const log = await run(first.name, 'send_log', masterWorkDir(cluster, first));
  await run(name, 'receive_log', masterWorkDir(cluster, host), Buffer.from(log));
  return true;
}
