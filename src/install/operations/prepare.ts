/** Prepares a run: probe, preflight, plan. Changes nothing on any host. */

import { createHash, randomBytes } from 'node:crypto';
import { NOT_ISSUED } from '../../cluster/certificates.ts';
import { hostNamed } from '../../cluster/choose-hosts.ts';
import { generateSecrets, type Secrets } from '../../cluster/secrets.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { EMPTY_LOCK, type VersionsLock } from '../../cluster/versions-lock.ts';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import type { AptFacts } from '../apt-facts.ts';
import type { BundleManifest } from '../bundle/manifest.ts';
import { drainPlan } from '../drain-plan.ts';
import { describePayload } from '../edge/payload.ts';
import type { Facts } from '../facts.ts';
import { lockWith } from '../locked-versions.ts';
import { isMember, type MemberChange, memberProblems } from '../member-change.ts';
import type { Plan, Problem } from '../plan.ts';
import { type PlanInput, planCluster } from '../plan-cluster.ts';
import { preflight } from '../preflight/preflight.ts';
import { mastersNeededToStart } from '../quorum.ts';
import { simulationRequest } from '../simulation-request.ts';
import type { UpgradeSummary } from '../summary.ts';
import { beginningOf } from '../tls-obstacles.ts';
import { UnknownAddressError } from '../topology.ts';
import { uninstallPlan } from '../uninstall.ts';
import type { UpgradeIntent } from '../upgrade/intent.ts';
import { checkedBeginning, withoutDue } from './certificates.ts';
import { masterAgents } from './master-agents.ts';
import { bundleProblems, imagesOf, openBundle } from './open-bundle.ts';
import { problemsError, type Reach, reachOf } from './reach.ts';
import type { Session, Survey } from './session.ts';
import { supplyPackages, withNeededFiles } from './supply-packages.ts';

export type Intent = {
  /** Packages that were on the hosts before mesosup, which apt may remove or downgrade. */
  readonly allowRemove?: readonly string[];
  /** Plan and change these hosts only. A running cluster starts on them. */
  readonly only?: readonly string[];
} & (
  | {
      readonly command: 'install';
      readonly start: boolean;
      readonly member?: MemberChange;
      /** Take the newest packages, whatever `versions.lock` has. */
      readonly update?: boolean;
      /** Path of a bundle, from which all packages and keys come. */
      readonly bundle?: string | undefined;
    }
  | { readonly command: 'start' | 'stop' }
  | { readonly command: 'uninstall'; readonly purge: boolean }
  | DrainIntent
  | UpgradeIntent
);

/** Takes the agent of a host out of service, or puts it back. */
export interface DrainIntent {
  readonly command: 'drain' | 'undrain';
  readonly host: string;
  /** Seconds without a change after which the tasks end that no other agent can take. Default: see `ApplyLimits`. */
  readonly moveSeconds?: number | undefined;
  /** For a drain: the host leaves the cluster. Its agent is stopped and marked as gone, if there is one. */
  readonly retire?: true;
}

export interface Prepared {
  readonly secrets: Secrets;
  readonly facts: ReadonlyMap<string, Facts>;
  /** Unreachable hosts, and the problems that the preflight found. */
  readonly problems: readonly Problem[];
  readonly reach: Reach;
  /** Plan of the usable hosts. */
  readonly plan: Plan;
  /** Bytes of the archive that the plan copies to hosts; undefined for an uninstall. */
  readonly payloadBytes?: number;
  /** True if the run starts the cluster and waits until it is healthy. */
  readonly starts: boolean;
  /** `versions.lock`, with what the hosts have taken; missing for commands that do not read it. */
  readonly lock?: VersionsLock;
  /** Why a new cluster gets no TLS; missing if it gets it, refuses it, or is not new. */
  readonly plainText?: string;
  /** The bundle of the intent, whose package files are in the cache of this machine. */
  readonly bundle?: BundleManifest;
  /** Of an upgrade. */
  readonly upgrade?: UpgradeSummary;
  /** Hosts of which the first holds the cluster's lock, if they are not the usable ones. */
  readonly lockOn?: readonly string[];
}

export interface Program {
  /** Directory of this installation: `dist/` of a checkout, or `/opt/mesosup/<version>`. */
  readonly root: string;
  readonly version: string;
}

/** The hosts and the secrets of a cluster. */
export interface ClusterSurvey extends Survey {
  readonly secrets: Secrets | undefined;
  /** True for a cluster that had no secrets before. */
  readonly isNew?: boolean;
}

/** Reads the cluster's secrets, and probes its hosts. */
export async function surveyCluster(session: Session): Promise<ClusterSurvey> {
  const secrets = await session.state.secrets();
  const survey = await session.survey(secrets);
  if (!secrets) refuseForeign(session, survey);
  if (!secrets) return { ...survey, secrets, isNew: true };
  return { ...survey, secrets: await withoutDue(session, survey.facts, secrets) };
}

/**
 * Throws for a cluster whose secrets are not on this machine: with new secrets all its services would have to restart.
 */
function refuseForeign({ cluster, state }: Session, { facts }: Survey): void {
  const ours = [...facts].filter(([, host]) => host.mesosup.cluster === cluster.name).map(([name]) => name);
  if (ours.length === 0) return;
  throw new MesosupError(
    `${ours.join(', ')} already ${ours.length === 1 ? 'belongs' : 'belong'} to the cluster ${cluster.name}, but its secrets are not on this machine (${state.secretsFile})`,
    {
      remedy: `Copy the secrets from the machine that installed the cluster: mkdir -m 700 -p ${state.directory} && scp -p MACHINE:${state.secretsFile} ${state.directory}/  Or give this cluster another name.`,
    },
  );
}

/**
 * @throws MesosupError with all problems, when there are too few usable hosts or no plan can be made
 */
export async function prepare(
  session: Session,
  program: Program,
  survey: ClusterSurvey,
  intent: Exclude<Intent, { command: 'upgrade' }>,
): Promise<Prepared> {
  const { cluster } = session;
  const { only } = intent;
  const unreachable = survey.unreachable.filter(({ host }) => only?.includes(host) ?? true);
  const secrets = plannedSecrets(session, survey);
  if (intent.command === 'uninstall') {
    const facts = only ? new Map([...survey.facts].filter(([name]) => only.includes(name))) : survey.facts;
    const plan = uninstallPlan({ cluster, facts, version: program.version, purge: intent.purge, sha256 });
    const names = only ?? cluster.hosts.map((host) => host.name);
    const leftOut = names.filter((name) => !facts.has(name));
    const reach = {
      usable: names.filter((name) => facts.has(name)),
      leftOut,
      blocker: facts.size === 0 ? 'no host can be reached' : '',
    };
    // The lock of a run on some hosts is on the same host as that of all others.
    const reachable = cluster.hosts.map(({ name }) => name).filter((name) => survey.facts.has(name));
    return { secrets, facts, problems: unreachable, reach, plan, starts: false, lockOn: reachable };
  }
  if ('host' in intent) {
    return prepareDrain(session, program, { ...survey, secrets }, intent);
  }
  const obstacle = survey.isNew ? checkedBeginning(session, survey.facts).obstacle : undefined;
  const made = await describePayload(program.root);
  const member = memberOf(intent);
  const check = (facts: ReadonlyMap<string, Facts>) => {
    const { allowRemove = [] } = intent;
    const checks =
      intent.command === 'stop' ? [] : preflight({ cluster, facts, payload: made, allowRemove, member });
    const all = [...survey.unreachable, ...checks];
    const reach = reachOf(cluster, all);
    const unsafe = checks.filter(({ check }) => check === 'ensemble');
    if (unsafe.length > 0) throw nothingChanged(UNSAFE, unsafe);
    const problems = only ? all.filter(({ host }) => only.includes(host)) : all;
    if (reach.blocker !== '' && intent.command !== 'stop') throw nothingChanged(reach, problems);
    return { problems, reach };
  };
  const before = check(survey.facts);
  const asked =
    intent.command === 'install' ? { ...intent, start: startsServices(intent, survey.facts) } : intent;
  const startProblems = startsCluster(asked) ? missingForStart(session, survey.facts, before, asked) : [];
  const now = startProblems.length > 0 ? { ...intent, command: 'install' as const, start: false } : asked;
  const stored = intent.command === 'stop' ? undefined : await session.state.versionsLock();
  const lock = lockWith(stored ?? EMPTY_LOCK, survey.facts);
  const isUpdate = intent.command === 'install' && intent.update === true;
  const file = intent.command === 'install' ? intent.bundle : undefined;
  const bundle = file === undefined ? undefined : await openBundle(session, file, made);
  const pinned = { ...now, ...(!isUpdate && { lock }), bundled: bundle?.systems, images: imagesOf(bundle) };
  const planFor = (facts: ReadonlyMap<string, Facts>, files?: PlanInput['files']) =>
    planWith(session, made, facts, secrets, { ...pinned, files });
  let first: Plan;
  try {
    first = planFor(survey.facts);
  } catch (cause) {
    if (!(cause instanceof UnknownAddressError)) throw cause;
    throw nothingChanged({ ...before.reach, blocker: cause.message }, before.problems);
  }
  const simulate = (plan: Plan) => simulateApt(session, planOf(plan, only), before.reach, isUpdate);
  const simulated = await simulate(first);
  const { answers, files } = await supplyPackages(session, first.hosts, survey.facts, simulated, (more) => {
    const plan = planFor(survey.facts, more);
    return simulate({ ...plan, hosts: plan.hosts.filter(({ host }) => more.has(host)) });
  });
  const facts = withAnswers(survey.facts, answers);
  const lacking = bundle ? bundleProblems(bundle, planOf(first, only), facts) : [];
  if (lacking.length > 0) throw nothingChanged({ blocker: 'the bundle is not complete' }, lacking);
  const { problems, reach } = answers.size === 0 ? before : check(facts);
  const plan = answers.size === 0 ? first : withNeededFiles(planFor(facts, files), facts);
  return {
    secrets,
    facts,
    problems: [...problems, ...startProblems],
    reach: only ? { ...reach, leftOut: reach.leftOut.filter((name) => only.includes(name)) } : reach,
    plan: planOf({ ...plan, hosts: plan.hosts.filter(({ host }) => reach.usable.includes(host)) }, only),
    payloadBytes: made.bytes,
    starts: startsCluster(now),
    lock,
    ...(obstacle && { plainText: `${obstacle.message}. ${obstacle.remedy}` }),
    ...(bundle && { bundle }),
  };
}

function planOf(plan: Plan, only: readonly string[] | undefined): Plan {
  return only ? { ...plan, hosts: plan.hosts.filter(({ host }) => only.includes(host)) } : plan;
}

async function prepareDrain(
  session: Session,
  { version }: Program,
  { facts, secrets, unreachable }: Survey & { readonly secrets: Secrets },
  { command, host: name, retire }: DrainIntent,
): Promise<Prepared> {
  const { cluster } = session;
  const host = hostNamed(cluster, name);
  const own = facts.get(name);
  const leaves = retire === true && isMember(host);
  if (!host.roles.includes('agent') && !leaves)
    throw new UsageError(`${name} has no agent: its roles are ${host.roles.join(', ')}`);
  if (own === undefined) {
    const problems = unreachable.filter((problem) => problem.host === name);
    throw nothingChanged(
      {
        blocker: `${name} can't be reached. If it is gone for good, remove it with: mesosup node remove ${name} --dead`,
      },
      problems,
    );
  }
  if (leaves) {
    const rest = { ...cluster, hosts: cluster.hosts.filter((one) => one !== host) };
    const unsafe = memberProblems(rest, facts, { kind: 'leaves', host: name });
    if (unsafe.length > 0) {
      throw nothingChanged(UNSAFE, unsafe);
    }
  }
  const agents = await masterAgents(session, facts, secrets);
  if (agents === undefined) {
    throw new MesosupError(`no Mesos master of ${cluster.name} leads, so its agents are not known`, {
      remedy: 'Find the cause with: mesosup status',
    });
  }
  const agent = agents.find(({ id }) => id === own.agent.id);
  const usable = cluster.hosts.map((one) => one.name).filter((one) => facts.has(one));
  const reach = { usable, leftOut: [], blocker: '' };
  const common = { secrets, facts, problems: [], reach, starts: false };
  // A master that has just begun to lead does not know the agents that have not registered again.
  const mayRun = own.agent.answers && own.agent.tasks !== 0;
  if (agent === undefined && (!retire || mayRun)) {
    throw new MesosupError(`${name}: its agent is not registered with the leading master`, {
      host: name,
      remedy: `Start it, or find out why it does not register: mesosup node ssh ${name} -- journalctl -u mesos-agent -n 50`,
    });
  }
  const made = {
    cluster,
    host: name,
    facts: own,
    command,
    agent,
    version,
    sha256,
    ...(retire && { retire }),
  };
  return { ...common, plan: drainPlan(made) };
}

/** The change of members that an intent makes. */
export function memberOf(intent: Intent): MemberChange | undefined {
  return intent.command === 'install' ? intent.member : undefined;
}

/** Whether an install starts the services of hosts on which they never ran: a host that joins a running cluster starts, too. */
export function startsServices(
  intent: Extract<Intent, { command: 'install' }>,
  facts: ReadonlyMap<string, Facts>,
): boolean {
  const hosts = [...facts.values()].map(({ mesosup }) => mesosup);
  if (intent.only || intent.member) return hosts.some(({ started }) => started);
  const installed = hosts.filter(({ current }) => current !== '');
  const joins = installed.length > 0 && installed.length < hosts.length;
  return intent.start || (joins && installed.every(({ started }) => started));
}

function startsCluster(intent: Intent): boolean {
  return intent.command === 'start' || (intent.command === 'install' && intent.start);
}

/** Adds the answers of simulations with apt to the facts of their hosts. */
export function withAnswers(
  facts: ReadonlyMap<string, Facts>,
  answers: ReadonlyMap<string, AptFacts>,
): ReadonlyMap<string, Facts> {
  return new Map(
    [...facts].map(([name, own]) => {
      const apt = answers.get(name);
      return [name, apt === undefined ? own : { ...own, apt }];
    }),
  );
}

/**
 * A new cluster whose masters can't create a registry without the masters left out is installed but not started:
 * the masters would restart forever.
 * @returns a problem for each master left out
 * @throws MesosupError for the command "start", which could do nothing
 */
function missingForStart(
  { cluster }: Session,
  facts: ReadonlyMap<string, Facts>,
  { problems, reach }: { readonly problems: readonly Problem[]; readonly reach: Reach },
  intent: Intent,
): Problem[] {
  const needed = mastersNeededToStart(cluster, facts, reach.usable);
  if (needed === undefined) return [];
  const why = `Mesos creates the registry of a new cluster only when ${needed} masters run`;
  if (intent.command === 'start') throw nothingChanged({ ...reach, blocker: why }, problems);
  return hostsWith(cluster, 'master')
    .filter(({ name }) => reach.leftOut.includes(name))
    .map(({ name }) => ({
      host: name,
      check: 'start',
      message: `the cluster is installed without this host, and not started: ${why}`,
      remedy: 'Fix the host, then run the same command again.',
      severity: 'warning',
    }));
}

/** Simulates the installation on the usable hosts whose plan installs packages. An update reads the newest lists. */
async function simulateApt(session: Session, plan: Plan, reach: Reach, isUpdate: boolean) {
  const requests = plan.hosts.flatMap((host) => {
    const request =
      plan.command !== 'stop' && reach.usable.includes(host.host) ? simulationRequest(host) : undefined;
    return request === undefined
      ? []
      : [[host.host, { ...request, ...(isUpdate && { fresh: true as const }) }] as const];
  });
  return session.simulate(new Map(requests));
}

function planWith(
  { cluster, templates }: Session,
  payload: PlanInput['payload'],
  facts: ReadonlyMap<string, Facts>,
  secrets: Secrets,
  intent: Exclude<Intent, { command: 'uninstall' | 'upgrade' | DrainIntent['command'] }> &
    Pick<PlanInput, 'lock' | 'files' | 'bundled' | 'images'>,
): Plan {
  return planCluster({ cluster, facts, templates, payload, secrets, sha256, ...intent });
}

/** Plans an install without a preflight, to show the drift. Undefined when no plan can be made. */
export function driftOf(
  session: Session,
  payload: PlanInput['payload'],
  survey: ClusterSurvey,
): Plan | undefined {
  try {
    const secrets = plannedSecrets(session, survey);
    return planWith(session, payload, survey.facts, secrets, { command: 'install', start: false });
  } catch (error) {
    if (error instanceof UnknownAddressError) return undefined;
    throw error;
  }
}

/** Returns the secrets for a plan. It contains none, so random ones serve until an apply makes the real ones. */
function plannedSecrets({ cluster }: Session, { secrets, facts }: ClusterSurvey): Secrets {
  return secrets ?? { ...freshSecrets(), ...(beginningOf(cluster, facts).tls && { tls: NOT_ISSUED }) };
}

export function freshSecrets(): Secrets {
  return generateSecrets((bytes) => randomBytes(bytes));
}

/** Why a run does not start whose change of members is not safe. */
export const UNSAFE: Pick<Reach, 'blocker'> = { blocker: 'this change of the members is not safe' };

export function nothingChanged(
  { blocker }: Pick<Reach, 'blocker'>,
  problems: readonly Problem[],
): MesosupError {
  return problemsError(problems, `Nothing was changed: ${blocker}.`);
}

/** In hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
