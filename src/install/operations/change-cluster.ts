/** Changes a cluster's hosts: probe, preflight, plan, show, confirm, apply, report. One way for every command. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { changesIn, driftBetween, endingTasks } from '../drift.ts';
import { withClusterLock } from '../edge/cluster-lock.ts';
import { fetchKeys } from '../edge/keys.ts';
import { checkPackageFiles } from '../edge/package-files.ts';
import { payload } from '../edge/payload.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import type { Plan, Problem } from '../plan.ts';
import { renderPlan } from '../render-plan.ts';
import { applyWaves } from './apply-plan.ts';
import { attachAll, whoAmI } from './apply-wave.ts';
import type { HostTrouble } from './outcome.ts';
import { type Intent, look, type Prepared, type Program, prepare } from './prepare.ts';
import { renderProblems } from './reach.ts';
import type { Session } from './session.ts';
import { missingOf, waitHealthy } from './wait-healthy.ts';

export interface ChangeOptions {
  readonly intent: Intent;
  /** Applied exactly, as long as it still says what is to be done. */
  readonly saved?: Plan;
  /** Asked when there is something to do, after the plan was shown; false: nothing is done. */
  readonly confirm: (prepared: Prepared) => Promise<boolean>;
  readonly allowAgentReplace: boolean;
  /** Seconds for which nothing may change while something is waited for; undefined: as long as is usual for each. */
  readonly patience: number | undefined;
  readonly signal: AbortSignal;
  /** For people; nothing with --json. */
  readonly say: (text: string) => void;
  readonly colour: boolean;
}

export interface ChangeResult {
  readonly plan: Plan;
  readonly problems: readonly Problem[];
  /** Hosts that were begun and not finished. */
  readonly troubles: readonly HostTrouble[];
  /** Left out for an error of theirs. */
  readonly leftOut: readonly string[];
  /** By host: users and groups that packages left behind at an uninstall. */
  readonly accounts: Readonly<Record<string, string>>;
  /** By host: packages that an uninstall could not install again. */
  readonly unrestored: Readonly<Record<string, string>>;
  /** False: there was nothing to do, or it was declined. */
  readonly applied: boolean;
  readonly declined: boolean;
  /** After all, when a started cluster was waited for. */
  readonly facts?: ReadonlyMap<string, Facts>;
}

/**
 * @throws MesosupError when nothing could be begun, or the cluster isn't healthy at last
 */
export async function change(
  session: Session,
  program: Program,
  options: ChangeOptions,
): Promise<ChangeResult> {
  const { intent, signal, say } = options;
  const prepared = await settle(session, program, options);
  const { problems, reach, starts } = prepared;
  if (problems.length > 0) say(renderProblems(problems));
  const plan = options.saved ? exactly(options.saved, prepared) : prepared.plan;
  const accounts: Record<string, string> = {};
  const unrestored: Record<string, string> = {};
  const leftOut = reach.leftOut;
  const left = { leftOut, accounts, unrestored };
  const result = { plan, problems, troubles: [], ...left, applied: false, declined: false };
  const healthy = async () =>
    waitHealthy(session, {
      secrets: prepared.secrets,
      hosts: reach.goOn,
      patience: options.patience,
      signal,
    });
  if (changesIn(plan) === 0) {
    if (!starts) return result;
    const well = missingOf(clusterHealth(session.cluster, prepared.facts), reach.goOn).length === 0;
    return { ...result, facts: well ? prepared.facts : await healthy() };
  }
  say(renderPlan(plan, { colour: options.colour }));
  refuseEndings(plan, intent, options.allowAgentReplace);
  if (!(await options.confirm({ ...prepared, plan }))) return { ...result, declined: true };
  const troubles = await locked(session, reach.goOn, async () => {
    // What can be had or not is known before any host is begun.
    await checkPackageFiles(plan);
    const complete = await fetchKeys(plan);
    if (intent.command !== 'uninstall') await session.state.keepCluster(session.cluster);
    session.atWork = true;
    return applyWaves(session, {
      plan: complete,
      facts: prepared.facts,
      secrets: prepared.secrets,
      ...(starts && { started: true }),
      ...(sendsPayload(plan) && { archive: await payload(program.root) }),
      patience: options.patience,
      onLeft: (host, left) => {
        accounts[host] = left;
      },
      onUnrestored: (host, packages) => {
        unrestored[host] = packages;
      },
      allowRemove: allowedBy(options),
      signal,
    });
  });
  const done = { ...result, troubles, applied: true };
  const runs = starts || (intent.command === 'install' && someStarted(prepared));
  if (!runs || troubles.length > 0) return done;
  return { ...done, facts: await healthy() };
}

/** Looks at the hosts; where a run is under way, follows it to its end and looks again. */
async function settle(session: Session, program: Program, options: ChangeOptions): Promise<Prepared> {
  let looked = await look(session);
  const busy = [...looked.facts].filter(([, { mesosup }]) => mesosup.run?.alive).map(([name]) => name);
  for (const [name, { mesosup }] of looked.facts) {
    if (mesosup.run && !mesosup.run.alive) {
      session.screen.note(
        `${name}: "${mesosup.run.command}" by ${mesosup.run.who} ended there without a word; this run finds what it left`,
      );
    }
  }
  if (busy.length > 0) {
    await attachAll(session, looked.facts, options.signal);
    looked = await look(session);
  }
  if (!looked.secrets && options.intent.command !== 'uninstall') {
    looked = { ...looked, secrets: await session.state.makeSecrets() };
  }
  if (looked.secrets) session.log?.hide(Object.values(looked.secrets));
  return prepare(session, program, looked, { ...options.intent, allowRemove: allowedBy(options) });
}

/** A saved plan was made with the permission for what it removes. */
function allowedBy({ intent, saved }: ChangeOptions): readonly string[] {
  const planned = (saved?.hosts ?? []).flatMap(({ items }) =>
    items.flatMap(({ id, byApt }) => (byApt ? [id.slice(id.indexOf(':') + 1)] : [])),
  );
  return [...(intent.allowRemove ?? []), ...planned];
}

/** A saved plan, if the hosts are still what it was made for. @throws MesosupError naming what has changed */
function exactly(saved: Plan, { plan, reach, problems }: Prepared): Plan {
  if (saved.version !== plan.version || saved.command !== plan.command) {
    throw new MesosupError(`the plan was made by mesosup ${saved.version}, this is ${plan.version}`, {
      remedy: 'Make a new plan with "mesosup plan --out".',
    });
  }
  const wanted = saved.hosts.filter(({ items }) => items.length > 0).map(({ host }) => host);
  const missing = wanted.filter((host) => !reach.goOn.includes(host));
  if (missing.length > 0) {
    const of = problems.filter(({ host }) => missing.includes(host));
    throw new MesosupError(
      `${renderProblems(of)}\nNothing was changed: the plan is for ${missing.join(', ')} too.`,
      { remedy: 'Fix what is named above, or make a new plan.' },
    );
  }
  const drift = driftBetween(saved, plan);
  if (drift.length === 0) return saved;
  throw new MesosupError(
    `the hosts have changed since the plan was made:\n${drift.map((line) => `  ${line}`).join('\n')}\nNothing was changed.`,
    { remedy: 'Make a new plan with "mesosup plan --out", and look at it.' },
  );
}

/** @throws MesosupError naming the agents whose tasks would end, unless that is allowed */
function refuseEndings(plan: Plan, intent: Intent, allowed: boolean): void {
  if (allowed || intent.command === 'uninstall') return;
  const endings = endingTasks(plan);
  if (endings.length === 0) return;
  const lines = endings.map(({ host, item }) => {
    const tasks = item.endsTasks === null ? 'its tasks end' : `${item.endsTasks} of its tasks end`;
    return `  ${host}: ${item.title}${item.reason ? ` ${item.reason}` : ''}: ${tasks}`;
  });
  throw new MesosupError(
    `the plan ends tasks, which has to be allowed:\n${lines.join('\n')}\nNothing was changed.`,
    { remedy: 'Add --allow-agent-replace, or take back what makes it another agent.' },
  );
}

/** A change of a cluster that runs isn't done before it runs again. */
function someStarted({ facts, reach }: Prepared): boolean {
  return reach.goOn.some((host) => facts.get(host)?.mesosup.started);
}

function sendsPayload(plan: Plan): boolean {
  return plan.hosts.some(({ items }) => items.some(({ resource }) => resource?.kind === 'payload'));
}

/** One controller at a time: the lock lies on the first host that will do. */
async function locked<T>(session: Session, hosts: readonly string[], body: () => Promise<T>): Promise<T> {
  const [lead] = hosts;
  if (lead === undefined) throw new TypeError('there is no host to hold the lock');
  return withClusterLock(session.host(lead), session.scripts, whoAmI(), body);
}
