/** Does a plan on all its hosts side by side, and follows runs that others began. */

import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import { count } from '../../text/count.ts';
import { presentAgentWorkDir } from '../agent-change.ts';
import { applyHost } from '../edge/apply-host.ts';
import { attachRun, type RunOutcome } from '../edge/host-run.ts';
import type { Facts } from '../facts.ts';
import type { HostPlan, Plan } from '../plan.ts';
import { addressOf, topologyOf } from '../topology.ts';
import { describe, type HostTrouble, troubleFrom, troubleOf } from './outcome.ts';
import { type HostLine, sideBySide } from './screen.ts';
import type { Session } from './session.ts';

export interface ApplyAllOptions {
  readonly plan: Plan;
  readonly facts: ReadonlyMap<string, Facts>;
  readonly secrets: Secrets;
  /** The archive of the payload, if the plan sends one. */
  readonly archive?: { readonly file: string };
  /** The cluster is meant to run from now on, or not; undefined: as its hosts are. */
  readonly started?: boolean;
  /** Seconds without progress while something is waited for; undefined: as long as is usual for each. */
  readonly patience: number | undefined;
  /** Told what packages leave behind on a host that is uninstalled: `user zookeeper, group docker`. */
  readonly onLeft: (host: string, accounts: string) => void;
  /** Receives the packages that an uninstall could not install again. */
  readonly onUnrestored: (host: string, packages: string) => void;
  /** Packages of the owner's that apt may remove or downgrade. */
  readonly allowRemove?: readonly string[];
  /** Ends the following; hosts finish what they began. */
  readonly signal: AbortSignal;
}

/** As others read who holds a lock or a run. */
export function whoAmI(): string {
  return `${userInfo().username}@${hostname()} (${process.pid})`;
}

/** @returns what went wrong, a trouble a host; the others are done */
export async function applyAll(session: Session, options: ApplyAllOptions): Promise<HostTrouble[]> {
  const { cluster } = session;
  const { plan, facts, secrets, signal } = options;
  const work = plan.hosts.filter(({ items }) => items.length > 0);
  // Nothing is waited for when all goes; then not every address need be known.
  const endpoints = plan.command === 'uninstall' ? () => ({}) : endpointsOf(cluster, facts);
  const run = `${plan.command}-${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`;
  return onEach(session, work, signal, async (hostPlan, line) => {
    const own = facts.get(hostPlan.host);
    const target = cluster.hosts.find(({ name }) => name === hostPlan.host);
    const follower = followerOf(
      line,
      hostPlan.items.map(({ title }) => title),
    );
    const outcome = await applyHost(session.host(hostPlan.host), session.scripts, hostPlan, {
      run,
      command: plan.command,
      cluster: cluster.name,
      who: whoAmI(),
      secrets,
      journal: own?.mesosup.journal ?? [],
      ...endpoints(hostPlan.host),
      ...(own && target && { agentWorkDir: presentAgentWorkDir(cluster, target, own) }),
      ...(options.started !== undefined && { started: options.started }),
      ...(options.allowRemove && { allowRemove: options.allowRemove }),
      ...(options.archive && { payload: options.archive }),
      ...(options.patience !== undefined && { limits: { edge: options.patience, lock: options.patience } }),
      signal,
      onLost: (pause) => line.say(lost(pause)),
      onUpload: (sent, total) => line.say(`sending ${megabytes(sent)} of ${megabytes(total)} MB`),
      onEvent: (event) => {
        follower(event);
        if (event.event === 'log') session.log?.write(hostPlan.host, event.line);
        if (event.event === 'left') options.onLeft(hostPlan.host, event.accounts);
        if (event.event === 'unrestored') options.onUnrestored(hostPlan.host, event.packages);
      },
    });
    return {
      outcome,
      said: count(hostPlan.items.length, 'change'),
    };
  });
}

/** Follows the runs that are under way on these hosts to their ends. */
export async function attachAll(
  session: Session,
  facts: ReadonlyMap<string, Facts>,
  signal: AbortSignal,
): Promise<HostTrouble[]> {
  const running = [...facts].flatMap(([host, { mesosup }]) =>
    mesosup.run?.alive ? [{ host, run: mesosup.run }] : [],
  );
  for (const { host, run } of running) {
    session.screen.note(
      `${host}: "${run.command}" by ${run.who} is under way since ${new Date(run.since).toISOString()}: waiting for its end`,
    );
  }
  const plans = running.map(({ host }): HostPlan => ({ host, items: [], basis: '' }));
  return onEach(session, plans, signal, async ({ host }, line) => {
    const run = running.find((one) => one.host === host)?.run;
    if (!run) throw new TypeError(`no run is under way on ${host}`);
    const onEvent = followerOf(line, []);
    const onLost = (pause: number) => line.say(lost(pause));
    return {
      outcome: await attachRun(session.host(host), session.scripts, run.id, { onEvent, onLost, signal }),
      said: 'its run has ended',
    };
  });
}

async function onEach(
  session: Session,
  plans: readonly HostPlan[],
  signal: AbortSignal,
  work: (plan: HostPlan, line: HostLine) => Promise<{ outcome: RunOutcome; said: string }>,
): Promise<HostTrouble[]> {
  if (plans.length === 0) return [];
  const troubles: HostTrouble[] = [];
  const defects: unknown[] = [];
  await sideBySide(
    session.screen,
    plans.map(({ host }) => host),
    session.atOnce,
    async (name, line) => {
      const plan = plans.find(({ host }) => host === name);
      if (!plan) throw new TypeError(`there is no plan for ${name}`);
      let trouble: HostTrouble | undefined;
      try {
        const { outcome, said } = await work(plan, line);
        trouble = troubleOf(plan, outcome);
        if (!trouble) return said;
      } catch (error) {
        if (signal.aborted) return 'goes on there by itself';
        trouble = troubleFrom(name, error);
        if (!trouble) {
          defects.push(error);
          throw error;
        }
      }
      troubles.push(trouble);
      throw new Error(
        trouble.message.startsWith(`${name}:`) ? trouble.message : `${name}: ${trouble.message}`,
      );
    },
  );
  signal.throwIfAborted();
  // A defect of ours. The hosts have all come to their end by now.
  if (defects.length > 0) throw defects[0];
  return troubles;
}

function followerOf(line: HostLine, titles: readonly string[]) {
  let items = titles.length;
  return (event: Parameters<typeof describe>[0]): void => {
    if (event.event === 'begin') items = event.items;
    const said = describe(event, items, titles);
    if (said !== undefined) line.say(said);
  };
}

/** Whom a host's script asks what is true elsewhere. */
function endpointsOf(cluster: Cluster, facts: ReadonlyMap<string, Facts>) {
  const { zookeepers, masters } = topologyOf(cluster, facts);
  const { ports } = cluster;
  return (name: string) => {
    const host = cluster.hosts.find((one) => one.name === name);
    const address = host && addressOf(cluster, host, facts);
    return {
      zookeeper: zookeepers.map((member) => ({ address: member.address, port: ports.zookeeper })),
      masters: masters.map((member) => ({ address: member.address, port: ports.master })),
      ...(address !== undefined && { agent: { address, port: ports.agent } }),
    };
  };
}

function lost(pause: number): string {
  return `the connection is lost, and the host goes on by itself; tried again in ${pause / 1000} s`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
