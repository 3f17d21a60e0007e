/** Applies a plan on all its hosts concurrently, and follows runs that another mesosup started. */

import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import { hostsWith } from '../../cluster/topology.ts';
import { count } from '../../text/count.ts';
import { presentAgentWorkDir } from '../agent-change.ts';
import { applyHost } from '../edge/apply-host.ts';
import { attachRun, type RunOutcome } from '../edge/host-run.ts';
import type { Facts } from '../facts.ts';
import type { MemberChange } from '../member-change.ts';
import type { HostPlan, Plan } from '../plan.ts';
import { type StepLabel, stepLabels } from '../step-groups.ts';
import { addressOf, topologyOf } from '../topology.ts';
import { describe, type HostTrouble, recordOf, troubleFrom, troubleOf } from './outcome.ts';
import { type HostLine, runConcurrently } from './screen.ts';
import type { Session } from './session.ts';

export interface ApplyToHostsOptions {
  readonly plan: Plan;
  readonly facts: ReadonlyMap<string, Facts>;
  readonly secrets: Secrets;
  /** The archive of the payload, if the plan sends one. */
  readonly archive?: { readonly file: string };
  /** Records whether the cluster is to run; undefined leaves the hosts' records unchanged. */
  readonly started?: boolean;
  /** Seconds without progress after which a wait fails; undefined for the default of each wait. */
  readonly patience: number | undefined;
  /** The change of members that the plan makes: see `waves`. */
  readonly member?: MemberChange | undefined;
  /** For a drain: see `ApplyLimits.move`. */
  readonly moveSeconds?: number | undefined;
  /** Receives the accounts that packages leave behind after an uninstall: `user zookeeper, group docker`. */
  readonly onLeft: (host: string, accounts: string) => void;
  /** Receives the packages that an uninstall could not install again. */
  readonly onUnrestored: (host: string, packages: string) => void;
  /** Packages that were on the hosts before mesosup, which apt may remove or downgrade. */
  readonly allowRemove?: readonly string[];
  /** Stops following; the runs continue on the hosts. */
  readonly signal: AbortSignal;
}

/** Describes this process as the holder of a lock or a run: `user@machine (pid)`. */
export function holderName(): string {
  return `${userInfo().username}@${hostname()} (${process.pid})`;
}

/** @returns a trouble for each host that failed */
export async function applyToHosts(session: Session, options: ApplyToHostsOptions): Promise<HostTrouble[]> {
  const { cluster } = session;
  const { plan, facts, secrets, signal } = options;
  const work = plan.hosts.filter(({ items }) => items.length > 0);
  // An uninstall waits for no service, so it needs no addresses, and some may be unknown.
  const endpoints = plan.command === 'uninstall' ? () => ({}) : endpointsOf(cluster, facts);
  const run = `${plan.command}-${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`;
  return runOnHosts(session, work, signal, async (hostPlan, line) => {
    const own = facts.get(hostPlan.host);
    const target = cluster.hosts.find(({ name }) => name === hostPlan.host);
    const labels = stepLabels(hostPlan.items, own?.mesosup.journal ?? []);
    const follower = followerOf(session, hostPlan.host, line, labels);
    const outcome = await applyHost(session.host(hostPlan.host), session.scripts, hostPlan, {
      run,
      command: plan.command,
      cluster: cluster.name,
      who: holderName(),
      secrets,
      journal: own?.mesosup.journal ?? [],
      ...endpoints(hostPlan.host),
      ...(own && target && { agentWorkDir: presentAgentWorkDir(cluster, target, own) }),
      ...(options.started !== undefined && { started: options.started }),
      ...(options.allowRemove && { allowRemove: options.allowRemove }),
      ...(options.archive && { payload: options.archive }),
      imageFile: (sha256) => session.packages.imageFile(sha256),
      packageFile: (sha256) => session.packages.file(sha256),
      limits: {
        ...(options.patience !== undefined && { edge: options.patience, lock: options.patience }),
        ...(options.moveSeconds !== undefined && { move: options.moveSeconds }),
      },
      signal,
      onLost: onLostOf(session, hostPlan.host, line),
      onUpload: (sent, total) => line.show(`sending ${megabytes(sent)} of ${megabytes(total)} MB`),
      onEvent: (event) => {
        follower(event);
        if (event.event === 'log') session.log?.write(hostPlan.host, event.line);
        if (event.event === 'left') options.onLeft(hostPlan.host, event.accounts);
        if (event.event === 'unrestored') options.onUnrestored(hostPlan.host, event.packages);
      },
    });
    return {
      outcome,
      summary: count(hostPlan.items.length, 'change'),
    };
  });
}

/** Follows the runs that are in progress on these hosts until they end. */
export async function followRuns(
  session: Session,
  facts: ReadonlyMap<string, Facts>,
  signal: AbortSignal,
): Promise<HostTrouble[]> {
  const running = [...facts].flatMap(([host, { mesosup }]) =>
    mesosup.run?.alive ? [{ host, run: mesosup.run }] : [],
  );
  for (const { host, run } of running) {
    session.screen.note(
      `${host}: "${run.command}" by ${run.who} is in progress since ${new Date(run.since).toISOString()}: waiting until it ends`,
    );
  }
  const plans = running.map(({ host }): HostPlan => ({ host, items: [], basis: '' }));
  return runOnHosts(session, plans, signal, async ({ host }, line) => {
    const run = running.find((one) => one.host === host)?.run;
    if (!run) throw new TypeError(`no run is in progress on ${host}`);
    const onEvent = followerOf(session, host, line, []);
    const onLost = onLostOf(session, host, line);
    return {
      outcome: await attachRun(session.host(host), session.scripts, run.id, { onEvent, onLost, signal }),
      summary: 'the run has ended',
    };
  });
}

async function runOnHosts(
  session: Session,
  plans: readonly HostPlan[],
  signal: AbortSignal,
  work: (plan: HostPlan, line: HostLine) => Promise<{ outcome: RunOutcome; summary: string }>,
): Promise<HostTrouble[]> {
  if (plans.length === 0) return [];
  const troubles: HostTrouble[] = [];
  const defects: unknown[] = [];
  await runConcurrently(
    session.screen,
    plans.map(({ host }) => host),
    session.atOnce,
    async (name, line) => {
      const plan = plans.find(({ host }) => host === name);
      if (!plan) throw new TypeError(`there is no plan for ${name}`);
      let trouble: HostTrouble | undefined;
      try {
        const { outcome, summary } = await work(plan, line);
        trouble = troubleOf(plan, outcome);
        if (!trouble) return summary;
      } catch (error) {
        if (signal.aborted) return 'continues on the host';
        trouble = troubleFrom(name, error);
        if (!trouble) {
          defects.push(error);
          throw error;
        }
      }
      troubles.push(trouble);
      session.record.write({ host: name, kind: 'failed', text: trouble.message, remedy: trouble.remedy });
      throw new Error(trouble.message);
    },
  );
  signal.throwIfAborted();
  // A bug in mesosup. The runs on all hosts have ended by now.
  if (defects.length > 0) throw defects[0];
  return troubles;
}

/** Shows the events of a host, and records them. */
function followerOf(session: Session, host: string, line: HostLine, labels: readonly StepLabel[]) {
  let items = labels.length;
  return (event: Parameters<typeof describe>[0]): void => {
    if (event.event === 'begin') items = event.items;
    const text = describe(event, items, labels);
    if (text !== undefined) line.show(text, event.event === 'progress');
    const recorded = recordOf(event, items, labels);
    if (recorded !== undefined) session.record.write({ host, ...recorded });
  };
}

function onLostOf(session: Session, host: string, line: HostLine) {
  return (pause: number): void => {
    const text = lostConnection(pause);
    line.show(text);
    session.record.write({ host, kind: 'note', text });
  };
}

/** Returns a function from a host's name to the addresses whose services the host's script waits for. */
function endpointsOf(cluster: Cluster, facts: ReadonlyMap<string, Facts>) {
  const { zookeepers, masters } = topologyOf(cluster, facts);
  const { ports } = cluster;
  const schedulers = hostsWith(cluster, 'scheduler').flatMap((host) => {
    const address = addressOf(cluster, host, facts);
    return address === undefined ? [] : [{ address, port: ports.scheduler }];
  });
  return (name: string) => {
    const host = cluster.hosts.find((one) => one.name === name);
    const address = host && addressOf(cluster, host, facts);
    return {
      zookeeper: zookeepers.map((member) => ({ address: member.address, port: ports.zookeeper })),
      masters: masters.map((member) => ({ address: member.address, port: ports.master })),
      schedulers,
      ...(address !== undefined && { agent: { address, port: ports.agent } }),
    };
  };
}

function lostConnection(pause: number): string {
  return `the connection is lost, but the run continues on the host; connecting again in ${pause / 1000} s`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
