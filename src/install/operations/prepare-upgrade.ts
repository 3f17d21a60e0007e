/** Prepares an upgrade: asks the hosts' apt for newer packages, and plans. Changes nothing on any host. */

import { hostNamed } from '../../cluster/choose-hosts.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { describePayload } from '../edge/payload.ts';
import type { Facts } from '../facts.ts';
import type { Plan } from '../plan.ts';
import { planCluster } from '../plan-cluster.ts';
import { preflight } from '../preflight/preflight.ts';
import { type SimulationRequest, simulationRequest } from '../simulation-request.ts';
import { factsOf } from '../topology.ts';
import type { UpgradeIntent } from '../upgrade/intent.ts';
import { upgradeOrder } from '../upgrade/stages.ts';
import { checkChoice, upgradeRequest, versionsOf, withTargets } from '../upgrade/targets.ts';
import { refuseUndrained, upgradePlan } from '../upgrade/upgrade-plan.ts';
import { wantedResources } from '../wanted/wanted.ts';
import { masterAgents } from './master-agents.ts';
import { nothingChanged, type Prepared, type Program, sha256, withAnswers } from './prepare.ts';
import { reachOf } from './reach.ts';
import type { Session, Survey } from './session.ts';

/**
 * @throws MesosupError with all problems, when there are too few usable hosts
 * @throws UsageError for a version that can't be chosen
 */
export async function prepareUpgrade(
  session: Session,
  program: Program,
  { facts: found, secrets, unreachable }: Survey & { readonly secrets: Secrets | undefined },
  intent: UpgradeIntent,
): Promise<Prepared> {
  const { cluster, templates } = session;
  const { allowRemove = [], component } = intent;
  checkChoice(cluster, intent);
  if (intent.first !== undefined) hostNamed(cluster, intent.first);
  const bare = cluster.hosts.filter(
    ({ name }) => found.has(name) && found.get(name)?.mesosup.cluster !== cluster.name,
  );
  if (bare.length > 0)
    throw notInstalled(
      cluster.name,
      bare.map(({ name }) => name),
    );
  const made = await describePayload(program.root);
  const check = (facts: ReadonlyMap<string, Facts>) => {
    const problems = [...unreachable, ...preflight({ cluster, facts, payload: made, allowRemove })];
    const reach = reachOf(cluster, problems);
    if (reach.blocker !== '') throw nothingChanged(reach, problems);
    return { problems, reach };
  };
  const before = check(found);
  if (secrets === undefined) throw notInstalled(cluster.name, before.reach.usable);
  const usable = cluster.hosts.filter(({ name }) => before.reach.usable.includes(name));
  const input = { cluster, templates, payload: made, secrets, sha256, command: 'install' as const };
  const requested = new Map(
    usable.map((host): [string, SimulationRequest['packages']] => {
      const own = factsOf(found, host.name);
      const wanted = wantedResources({ ...input, facts: found, host, running: null });
      return [host.name, upgradeRequest(cluster, own, wanted, intent)];
    }),
  );
  const agents =
    component === undefined || component === 'docker' ? await masterAgents(session, found, secrets) : [];
  const planFor = (facts: ReadonlyMap<string, Facts>): Plan => {
    const plan = planCluster({
      ...input,
      facts,
      adjust: (host, wanted) =>
        withTargets(wanted, factsOf(facts, host.name), requested.get(host.name) ?? []),
    });
    return upgradePlan({ cluster, plan, facts, component, agents, sha256 });
  };
  const first = planFor(found);
  const answers = await session.simulate(
    new Map(
      first.hosts.flatMap((host) => {
        const request = joined(simulationRequest(host), requested.get(host.host) ?? []);
        const isUsable = before.reach.usable.includes(host.host);
        return isUsable && request.packages.length > 0 ? [[host.host, request] as const] : [];
      }),
    ),
  );
  const facts = withAnswers(found, answers);
  const { problems, reach } = check(facts);
  const all = planFor(facts);
  const plan = { ...all, hosts: all.hosts.filter(({ host }) => reach.usable.includes(host)) };
  refuseUndrained({ plan, facts, agents });
  const payload = component === undefined || component === 'mesosup' ? made.version : undefined;
  const versions = usable.flatMap((host) =>
    versionsOf(cluster, host, factsOf(facts, host.name), requested.get(host.name) ?? [], payload),
  );
  const upgrade = { versions, order: upgradeOrder(cluster, plan, facts, intent) };
  return { secrets, facts, problems, reach, plan, payloadBytes: made.bytes, starts: false, upgrade };
}

/** Adds the packages that may be upgraded to those that the plan installs. */
function joined(
  request: SimulationRequest | undefined,
  upgraded: SimulationRequest['packages'],
): SimulationRequest {
  const { packages = [], sources = [], made } = request ?? {};
  const names = new Set(packages.map(({ name }) => name));
  return {
    packages: [...packages, ...upgraded.filter(({ name }) => !names.has(name))],
    ...(made && { made }),
    sources,
    fresh: true,
  };
}

function notInstalled(cluster: string, names: readonly string[]): MesosupError {
  return new MesosupError(`${names.join(', ')}: ${cluster} is not installed there, so it can't be upgraded`, {
    remedy: 'Install it with: mesosup install',
  });
}
