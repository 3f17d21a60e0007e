/** From a cluster to what is to be done: probe, preflight, plan. Nothing is changed on any host. */

import { createHash, randomBytes } from 'node:crypto';
import { generateSecrets, type Secrets } from '../../cluster/secrets.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { AptFacts } from '../apt-facts.ts';
import { describePayload } from '../edge/payload.ts';
import type { Facts } from '../facts.ts';
import type { Plan, Problem } from '../plan.ts';
import { planCluster } from '../plan-cluster.ts';
import { preflight } from '../preflight/preflight.ts';
import { mastersAwaited } from '../quorum.ts';
import { simulationRequest } from '../simulation-request.ts';
import { UnknownAddressError } from '../topology.ts';
import { uninstallPlan } from '../uninstall.ts';
import { type Reach, reachOf, renderProblems } from './reach.ts';
import type { Session, Survey } from './session.ts';

export type Intent = {
  /** Packages of the owner's that apt may remove or downgrade. */
  readonly allowRemove?: readonly string[];
} & (
  | { readonly command: 'install'; readonly start: boolean }
  | { readonly command: 'start' | 'stop' }
  | { readonly command: 'uninstall'; readonly purge: boolean }
);

export interface Prepared {
  readonly secrets: Secrets;
  readonly facts: ReadonlyMap<string, Facts>;
  /** Of hosts that can't be reached, and what the preflight found. */
  readonly problems: readonly Problem[];
  readonly reach: Reach;
  /** Of the hosts that will do. */
  readonly plan: Plan;
  /** Whether the cluster is started and waited for. */
  readonly starts: boolean;
}

export interface Program {
  /** Where this program is installed: `dist/` of a checkout, or `/opt/mesosup/<version>`. */
  readonly root: string;
  readonly version: string;
}

/** The state's secrets, and what the hosts were found to be. */
export async function look(session: Session): Promise<Survey & { readonly secrets: Secrets | undefined }> {
  const secrets = await session.state.secrets();
  const survey = await session.survey(secrets);
  if (!secrets) refuseForeign(session, survey);
  return { ...survey, secrets };
}

/** Hosts that were installed with secrets which aren't here would all have to start anew with others. */
function refuseForeign({ cluster, state }: Session, { facts }: Survey): void {
  const ours = [...facts].filter(([, host]) => host.mesosup.cluster === cluster.name).map(([name]) => name);
  if (ours.length === 0) return;
  throw new MesosupError(
    `${ours.join(', ')} ${ours.length === 1 ? 'belongs' : 'belong'} to the cluster ${cluster.name} already, but its secrets are not on this machine (${state.secretsFile})`,
    {
      remedy: `Copy them from the machine that installed it: mkdir -m 700 -p ${state.directory} && scp -p MACHINE:${state.secretsFile} ${state.directory}/  Or give this cluster another name.`,
    },
  );
}

/**
 * @param survey what was found
 * @throws MesosupError when the plan can't be made, with all problems
 */
export async function prepare(
  session: Session,
  program: Program,
  survey: Survey & { readonly secrets: Secrets | undefined },
  intent: Intent,
): Promise<Prepared> {
  const { cluster } = session;
  const { unreachable } = survey;
  // Any will do for a plan of hosts that have none: they are made in earnest by whoever applies it.
  const secrets = survey.secrets ?? freshSecrets();
  if (intent.command === 'uninstall') {
    const { facts } = survey;
    const plan = uninstallPlan({ cluster, facts, version: program.version, purge: intent.purge, sha256 });
    const names = cluster.hosts.map((host) => host.name);
    const leftOut = names.filter((name) => !facts.has(name));
    const reach = {
      goOn: names.filter((name) => facts.has(name)),
      leftOut,
      stop: facts.size === 0 ? 'no host can be reached' : '',
    };
    return { secrets, facts, problems: unreachable, reach, plan, starts: false };
  }
  const made = await describePayload(program.root);
  const judge = (facts: ReadonlyMap<string, Facts>) => {
    const { allowRemove = [] } = intent;
    const checks = intent.command === 'stop' ? [] : preflight({ cluster, facts, payload: made, allowRemove });
    const problems = [...unreachable, ...checks];
    const reach = reachOf(cluster, problems);
    if (reach.stop !== '' && intent.command !== 'stop') throw nothingDone(reach, problems);
    return { problems, reach };
  };
  const before = judge(survey.facts);
  const held = startsCluster(intent) ? heldBack(session, survey.facts, before, intent) : [];
  const now = held.length > 0 ? { ...intent, command: 'install' as const, start: false } : intent;
  const first = await planWith(session, program, survey.facts, secrets, now).catch((cause: unknown) => {
    if (!(cause instanceof UnknownAddressError)) throw cause;
    throw nothingDone({ ...before.reach, stop: cause.message }, before.problems);
  });
  const answers = await askApt(session, first, before.reach);
  const facts = withAnswers(survey.facts, answers);
  const { problems, reach } = answers.size === 0 ? before : judge(facts);
  const plan = answers.size === 0 ? first : await planWith(session, program, facts, secrets, now);
  return {
    secrets,
    facts,
    problems: [...problems, ...held],
    reach,
    plan: { ...plan, hosts: plan.hosts.filter(({ host }) => reach.goOn.includes(host)) },
    starts: startsCluster(now),
  };
}

function startsCluster(intent: Intent): boolean {
  return intent.command === 'start' || (intent.command === 'install' && intent.start);
}

function withAnswers(
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
 * A new cluster whose masters can't begin without those that are left out is installed and not started: they would
 * restart for ever. @returns what to say of those @throws MesosupError for "start", which has nothing else to do
 */
function heldBack(
  { cluster }: Session,
  facts: ReadonlyMap<string, Facts>,
  { problems, reach }: { readonly problems: readonly Problem[]; readonly reach: Reach },
  intent: Intent,
): Problem[] {
  const needed = mastersAwaited(cluster, facts, reach.goOn);
  if (needed === undefined) return [];
  const why = `a new cluster's registry begins only once ${needed} masters run`;
  if (intent.command === 'start') throw nothingDone({ ...reach, stop: why }, problems);
  return hostsWith(cluster, 'master')
    .filter(({ name }) => reach.leftOut.includes(name))
    .map(({ name }) => ({
      host: name,
      check: 'start',
      message: `the cluster is installed without it, and not started: ${why}`,
      remedy: 'Run the same command again once it will do.',
      severity: 'warning',
    }));
}

/** Of the hosts that the run goes on with and whose plan installs packages. */
async function askApt(session: Session, plan: Plan, reach: Reach) {
  const requests = plan.hosts.flatMap((host) => {
    const request =
      plan.command !== 'stop' && reach.goOn.includes(host.host) ? simulationRequest(host) : undefined;
    return request === undefined ? [] : [[host.host, request] as const];
  });
  return session.simulate(new Map(requests));
}

async function planWith(
  { cluster, templates }: Session,
  program: Program,
  facts: ReadonlyMap<string, Facts>,
  secrets: Secrets,
  intent: Exclude<Intent, { command: 'uninstall' }>,
): Promise<Plan> {
  const made = await describePayload(program.root);
  return planCluster({ cluster, facts, templates, payload: made, secrets, sha256, ...intent });
}

/** What an install would do, whatever the preflight says; undefined when not even a plan can be made. */
export async function driftOf(
  session: Session,
  program: Program,
  { facts, secrets }: Survey & { readonly secrets: Secrets | undefined },
): Promise<Plan | undefined> {
  try {
    const some = secrets ?? freshSecrets();
    return await planWith(session, program, facts, some, { command: 'install', start: false });
  } catch (error) {
    if (error instanceof UnknownAddressError) return undefined;
    throw error;
  }
}

function freshSecrets(): Secrets {
  return generateSecrets((bytes) => randomBytes(bytes));
}

function nothingDone(reach: Reach, problems: readonly Problem[]): MesosupError {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const one = errors.length === 1 ? errors[0] : undefined;
  return new MesosupError(`${renderProblems(problems)}\nNothing was changed: ${reach.stop}.`, {
    remedy: one ? one.remedy : 'Fix what is named above, and run the same command again.',
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
