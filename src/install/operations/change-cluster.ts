/** Changes a cluster's hosts, for every command: probe, preflight, plan, show, confirm, apply, report. */

import { urlsOfCluster } from '../../cluster/urls.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { changesIn, driftBetween, endingTasks } from '../drift.ts';
import { withClusterLock } from '../edge/cluster-lock.ts';
import { fetchKeys } from '../edge/keys.ts';
import { checkPackageFiles } from '../edge/package-files.ts';
import { payload } from '../edge/payload.ts';
import type { Facts } from '../facts.ts';
import { clusterHealth } from '../health.ts';
import { idParts } from '../item.ts';
import { operator } from '../operator.ts';
import type { Plan, PlanItem, Problem } from '../plan.ts';
import { renderPlan } from '../render-plan.ts';
import { renderSummary } from '../render-summary.ts';
import { summarize } from '../summary.ts';
import { addressOf } from '../topology.ts';
import { clientsUseTls } from '../wanted/tls.ts';
import { applyWaves } from './apply-plan.ts';
import { applyUpgrade } from './apply-upgrade.ts';
import { type ApplyToHostsOptions, followRuns, holderName } from './apply-wave.ts';
import { issueCertificates, makeSecrets } from './certificates.ts';
import { keepVersions } from './keep-versions.ts';
import { keyIn } from './open-bundle.ts';
import type { HostTrouble } from './outcome.ts';
import { type Intent, memberOf, type Prepared, type Program, prepare, surveyCluster } from './prepare.ts';
import { prepareUpgrade } from './prepare-upgrade.ts';
import { renderProblems } from './reach.ts';
import { recheckHealth } from './recheck-health.ts';
import { type RecordedRun, recordRun } from './record-run.ts';
import type { Session } from './session.ts';
import { describeUnhealthy, waitHealthy } from './wait-healthy.ts';

export interface ChangeOptions extends RecordedRun {
  readonly intent: Intent;
  /** A saved plan, applied unchanged. It is refused when the hosts have changed since. */
  readonly saved?: Plan;
  /** Called after a plan with changes was shown; false cancels the run. */
  readonly confirm: (prepared: Prepared) => Promise<boolean>;
  /** Called before the first host is changed, when this run holds the cluster's lock. */
  readonly before?: (() => Promise<void>) | undefined;
  readonly allowAgentReplace: boolean;
  /** Show every change with its diff before the summary. */
  readonly diff: boolean;
  /** Seconds without progress after which a wait fails; undefined for the default of each wait. */
  readonly patience: number | undefined;
  /** Prints text for people; does nothing with --json. */
  readonly say: (text: string) => void;
  readonly colour: boolean;
  /** The command, for the record of the run: `install`, `node add`. */
  readonly title: string;
}

export interface ChangeResult {
  readonly plan: Plan;
  readonly problems: readonly Problem[];
  /** Hosts on which the run started and did not complete. */
  readonly troubles: readonly HostTrouble[];
  /** Names of hosts left out because of an error. */
  readonly leftOut: readonly string[];
  /** By host: users and groups that packages left behind after an uninstall. */
  readonly accounts: Readonly<Record<string, string>>;
  /** By host: packages that an uninstall could not install again. */
  readonly unrestored: Readonly<Record<string, string>>;
  /** False: there was nothing to do, or the user declined. */
  readonly applied: boolean;
  readonly declined: boolean;
  /** The id of the run's record on this machine; missing if no host was changed. */
  readonly run?: string;
  /** The principal of people at masters and agents. */
  readonly operator: string;
  /** True if clients use TLS. */
  readonly usesTls: boolean;
  /** Facts probed after the run waited for a started cluster to become healthy. */
  readonly facts?: ReadonlyMap<string, Facts>;
}

/**
 * @throws MesosupError when the run could not start, or the cluster does not become healthy
 */
export function change(session: Session, program: Program, options: ChangeOptions): Promise<ChangeResult> {
  return recordRun(session, options, () => surveyAndChange(session, program, options));
}

async function surveyAndChange(
  session: Session,
  program: Program,
  options: ChangeOptions,
): Promise<ChangeResult> {
  const { intent, signal, say } = options;
  // A damaged file must show before any host is changed.
  if (takesPackages(intent)) await session.state.versionsLock();
  const prepared = await surveyAndPrepare(session, program, options);
  const { problems, reach, starts } = prepared;
  if (problems.length > 0) say(`${renderProblems(problems)}\n`);
  const plan = options.saved ? verifySavedPlan(options.saved, prepared) : prepared.plan;
  const accounts: Record<string, string> = {};
  const unrestored: Record<string, string> = {};
  const leftOut = reach.leftOut;
  const left = {
    leftOut,
    accounts,
    unrestored,
    operator: operator(prepared.secrets).user,
    usesTls: clientsUseTls(prepared),
  };
  const result = { plan, problems, troubles: [], ...left, applied: false, declined: false };
  const healthy = async () =>
    waitHealthy(session, {
      secrets: prepared.secrets,
      hosts: intent.only ?? reach.usable,
      patience: options.patience,
      signal,
    });
  if (changesIn(plan) === 0) {
    if (takesPackages(intent)) await keepVersions(session, plan, prepared.facts, true);
    if (!starts) return result;
    const health = clusterHealth(session.cluster, prepared.facts);
    const isHealthy = describeUnhealthy(health, reach.usable).length === 0;
    return { ...result, facts: isHealthy ? prepared.facts : await healthy() };
  }
  const summary = summarize({ ...prepared, cluster: session.cluster, plan, member: memberOf(intent) });
  const lines = renderSummary(summary, options.diff);
  say(renderPlan(plan, { colour: options.colour, changes: options.diff ? 'diff' : 'none', summary: lines }));
  refuseEndings(plan, intent, options.allowAgentReplace);
  if (!(await options.confirm({ ...prepared, plan }))) return { ...result, declined: true };
  beginRecord(session, options);
  const troubles = await withLock(session, prepared.lockOn ?? reach.usable, async () => {
    // Missing files and keys must show before any host is changed.
    await checkPackageFiles(plan, session.packages);
    const { bundle } = prepared;
    const complete = bundle
      ? await fetchKeys(plan, Date.now, async (url) => keyIn(bundle, url))
      : await fetchKeys(plan);
    await options.before?.();
    if (installs(intent)) await keepCluster(session, prepared);
    session.atWork = true;
    const all: ApplyToHostsOptions = {
      plan: complete,
      member: memberOf(intent),
      facts: prepared.facts,
      secrets: prepared.secrets,
      ...(starts && { started: true }),
      ...(sendsPayload(plan) && { archive: await payload(program.root) }),
      patience: options.patience,
      ...('moveSeconds' in intent && { moveSeconds: intent.moveSeconds }),
      onLeft: (host, left) => {
        accounts[host] = left;
      },
      onUnrestored: (host, packages) => {
        unrestored[host] = packages;
      },
      allowRemove: allowedBy(options),
      signal,
    };
    const done = await (intent.command === 'upgrade'
      ? applyUpgrade(session, all, intent)
      : applyWaves(session, all));
    if (takesPackages(intent)) await keepVersions(session, plan, prepared.facts, done.length === 0);
    return done;
  });
  const done = { ...result, troubles, applied: true };
  const changes = intent.command === 'install' || intent.command === 'upgrade';
  const runs = starts || (changes && someStarted(prepared));
  if (!runs || troubles.length > 0) return done;
  return { ...done, facts: await healthy() };
}

function beginRecord({ record, cluster }: Session, { title }: ChangeOptions): void {
  record.begin({ command: title, cluster: cluster.name, who: holderName() });
}

async function keepCluster({ state, cluster }: Session, { facts, secrets }: Prepared): Promise<void> {
  const addresses = cluster.hosts.flatMap((host) => {
    const address = addressOf(cluster, host, facts);
    return address === undefined ? [] : [[host.name, address] as const];
  });
  const scheme = clientsUseTls({ secrets }) ? 'https' : 'http';
  await state.keepCluster(cluster, urlsOfCluster(cluster, Object.fromEntries(addresses), scheme));
}

/** Surveys the hosts and prepares the run. Where a run is in progress, follows it and surveys the hosts again. */
async function surveyAndPrepare(
  session: Session,
  program: Program,
  options: ChangeOptions,
): Promise<Prepared> {
  let survey = await surveyCluster(session);
  const busy = [...survey.facts].filter(([, { mesosup }]) => mesosup.run?.alive).map(([name]) => name);
  for (const [name, { mesosup }] of survey.facts) {
    if (mesosup.run && !mesosup.run.alive) {
      session.screen.note(
        `${name}: "${mesosup.run.command}" by ${mesosup.run.who} ended unexpectedly; this run completes its work`,
      );
    }
  }
  if (busy.length > 0) {
    beginRecord(session, options);
    await followRuns(session, survey.facts, options.signal);
    survey = await surveyCluster(session);
  }
  if (!survey.secrets && installs(options.intent)) {
    survey = { ...survey, secrets: await makeSecrets(session, survey.facts) };
  }
  if (survey.secrets && writesFiles(options.intent))
    survey = { ...survey, secrets: await issueCertificates(session, survey.facts, survey.secrets) };
  if (survey.secrets) session.hide(survey.secrets);
  const intent = { ...options.intent, allowRemove: allowedBy(options) };
  const changing = memberOf(intent)?.host ?? ('retire' in intent ? intent.host : undefined);
  if (changing !== undefined) {
    // A slow answer must not count as a member that is down, and a new leader may just be elected.
    const rest = session.cluster.hosts.filter(({ name }) => name !== changing);
    const checked = await recheckHealth(session, survey, survey.secrets, { ...session.cluster, hosts: rest });
    survey = { ...survey, ...checked };
  }
  return intent.command === 'upgrade'
    ? prepareUpgrade(session, program, survey, intent)
    : prepare(session, program, survey, intent);
}

/** A saved plan includes the permission for the packages that it removes. */
function allowedBy({ intent, saved }: ChangeOptions): readonly string[] {
  const planned = (saved?.hosts ?? []).flatMap(({ items }) =>
    items.flatMap(({ id, byApt }) => (byApt ? [idParts(id).name] : [])),
  );
  return [...(intent.allowRemove ?? []), ...planned];
}

/** Returns the saved plan if it still matches the hosts. @throws MesosupError naming the differences */
function verifySavedPlan(saved: Plan, { plan, reach, problems }: Prepared): Plan {
  if (saved.version !== plan.version || saved.command !== plan.command) {
    throw new MesosupError(
      `the plan was made by mesosup ${saved.version}, but this is mesosup ${plan.version}`,
      {
        remedy: 'Make a new plan with "mesosup plan --out".',
      },
    );
  }
  const wanted = saved.hosts.filter(({ items }) => items.length > 0).map(({ host }) => host);
  const missing = wanted.filter((host) => !reach.usable.includes(host));
  if (missing.length > 0) {
    const relevant = problems.filter(({ host }) => missing.includes(host));
    throw new MesosupError(
      `${renderProblems(relevant)}\nNothing was changed: the plan includes ${missing.join(', ')}.`,
      { remedy: 'Fix the problems above, or make a new plan.', problems: relevant },
    );
  }
  const drift = driftBetween(saved, plan);
  if (drift.length === 0) return saved;
  throw new MesosupError(
    `the hosts have changed since the plan was made:\n${drift.map((line) => `  ${line}`).join('\n')}\nNothing was changed.`,
    { remedy: 'Make a new plan with "mesosup plan --out", and review it.' },
  );
}

const ALLOW_REPLACE = 'Add --allow-agent-replace, or undo the change that replaces the agent.';

function endedTasks({ endsTasks }: PlanItem): string {
  return endsTasks === null ? 'its tasks end' : `${endsTasks} of its tasks end`;
}

/** @throws MesosupError naming the agents whose tasks would end, unless that is allowed */
function refuseEndings(plan: Plan, intent: Intent, allowed: boolean): void {
  if (allowed || intent.command === 'uninstall') return;
  const endings = endingTasks(plan);
  if (endings.length === 0) return;
  const lines = endings.map(({ host, item }) => {
    return `  ${host}: ${item.title}${item.reason ? ` ${item.reason}` : ''}: ${endedTasks(item)}`;
  });
  throw new MesosupError(
    `the plan ends tasks, and --allow-agent-replace is not set:\n${lines.join('\n')}\nNothing was changed.`,
    {
      remedy: ALLOW_REPLACE,
      problems: endings.map(({ host, item }) => ({
        host,
        message: `${item.title}: ${endedTasks(item)}`,
        remedy: ALLOW_REPLACE,
      })),
    },
  );
}

/** True if the run may install packages, which `versions.lock` records. */
function takesPackages({ command }: Intent): boolean {
  return command === 'install' || command === 'start' || command === 'upgrade';
}

/** True if the cluster is what its spec says afterwards. */
/** Certificates are issued before a plan that may write them. */
function writesFiles({ command }: Intent): boolean {
  return command === 'install' || command === 'start' || command === 'upgrade';
}

function installs({ command }: Intent): boolean {
  return command === 'install' || command === 'start' || command === 'stop';
}

/** A change of a started cluster is complete only when the cluster is healthy again. */
function someStarted({ facts, reach }: Prepared): boolean {
  return reach.usable.some((host) => facts.get(host)?.mesosup.started);
}

function sendsPayload(plan: Plan): boolean {
  return plan.hosts.some(({ items }) => items.some(({ resource }) => resource?.kind === 'payload'));
}

/** Holds the cluster's lock, on the first usable host, while `body` runs: only one mesosup may change a cluster. */
async function withLock<T>(session: Session, hosts: readonly string[], body: () => Promise<T>): Promise<T> {
  const [lead] = hosts;
  if (lead === undefined) throw new TypeError('there is no host to hold the lock');
  return withClusterLock(session.host(lead), session.scripts, holderName(), body);
}
