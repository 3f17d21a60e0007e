/** Applies the plan of an upgrade, stage by stage and wave by wave. */

import { setTimeout as sleep } from 'node:timers/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Facts } from '../facts.ts';
import type { HostPlan } from '../plan.ts';
import {
  type Awaited,
  missingMembers,
  nextWave,
  type Pace,
  quorumRisk,
  STAGE_TITLES,
  stagesOf,
  type UpgradeWave,
} from '../upgrade/stages.ts';
import { type ApplyToHostsOptions, applyToHosts } from './apply-wave.ts';
import type { HostTrouble } from './outcome.ts';
import { withHealth } from './recheck-health.ts';
import type { Session } from './session.ts';
import { UNHEALTHY, waitHealthy } from './wait-healthy.ts';

/** @returns a trouble for each host that failed, or that was not changed because another one is not healthy */
export async function applyUpgrade(
  session: Session,
  options: ApplyToHostsOptions,
  pace: Pace,
): Promise<HostTrouble[]> {
  const { cluster, screen } = session;
  const { plan } = options;
  let { facts } = options;
  let isFirst = true;
  const stages = stagesOf(cluster, plan, pace);
  for (const [at, stage] of stages.entries()) {
    let left = stage.plan.hosts;
    while (left.length > 0) {
      const wave = nextWave(cluster, { ...stage, plan: { ...stage.plan, hosts: left } }, facts);
      const title = STAGE_TITLES[stage.stage];
      const untouched = () => names([...left, ...stages.slice(at + 1).flatMap((later) => later.plan.hosts)]);
      const risk = quorumRisk(cluster, facts, wave);
      if (risk !== undefined) return notChanged(untouched(), risk);
      if (title !== undefined) {
        if (!isFirst && wave.back.length > 0) await pause(session, options, pace);
        screen.note(`${title}: ${wave.hosts.join(', ')}`);
        isFirst &&= wave.back.length === 0;
      }
      const hosts = left.filter(({ host }) => wave.hosts.includes(host));
      left = left.filter((host) => !hosts.includes(host));
      const troubles = await applyToHosts(session, { ...options, facts, plan: { ...plan, hosts } });
      if (troubles.length > 0) {
        const failed = troubles.map(({ host }) => host);
        const rest = untouched().filter((host) => !failed.includes(host));
        return [...troubles, ...notChanged(rest, `${failed.join(', ')} failed`)];
      }
      const found = await healthAfter(session, { ...options, facts }, wave);
      if (typeof found === 'string')
        return notChanged(untouched(), `${wave.hosts.join(', ')}: ${found}`, wave);
      facts = found;
    }
  }
  return [];
}

function names(hosts: readonly HostPlan[]): string[] {
  return [...new Set(hosts.map(({ host }) => host))];
}

function notChanged(rest: readonly string[], why: string, wave?: UpgradeWave): HostTrouble[] {
  const remedy = 'Fix that first, then run the same command again.';
  const own = (wave?.hosts ?? []).map((host) => ({
    host,
    failure: UNHEALTHY,
    message: why,
    remedy: `Find the cause with: mesosup status, mesosup node ssh ${host}. Then run the same command again.`,
  }));
  const others = rest
    .filter((host) => !wave?.hosts.includes(host))
    .map((host) => ({ host, failure: 'turn', message: `its upgrade is not complete: ${why}`, remedy }));
  return [...own, ...others];
}

async function pause({ screen }: Session, { signal }: ApplyToHostsOptions, { pauseSeconds = 0 }: Pace) {
  if (pauseSeconds === 0) return;
  screen.note(`pausing for ${pauseSeconds} s`);
  await sleep(pauseSeconds * 1000, undefined, { signal });
}

/** Waits until the members of a wave are healthy again. @returns the latest facts, or what is still missing */
async function healthAfter(
  session: Session,
  { secrets, facts, patience, signal }: ApplyToHostsOptions,
  { back }: { readonly back: readonly Awaited[] },
): Promise<ReadonlyMap<string, Facts> | string> {
  if (back.length === 0) return facts;
  const hosts = session.cluster.hosts.filter(({ name }) => facts.has(name)).map(({ name }) => name);
  try {
    const missing = (now: ReadonlyMap<string, Facts>) => missingMembers(session.cluster, facts, now, back);
    const now = await waitHealthy(session, { secrets, hosts, patience, signal, missing });
    return new Map([...facts].map(([name, own]) => [name, withHealth(own, now.get(name))]));
  } catch (error) {
    if (error instanceof MesosupError && error.failure === UNHEALTHY) return error.message;
    throw error;
  }
}
