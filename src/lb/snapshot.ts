/** What the scheduler says about its apps, and what is kept of an earlier answer while a new one may be incomplete. */

import * as z from 'zod';
import { parseHostPort } from './address.ts';

/** The part of the answer to `GET /v2/endpoints` that a load balancer uses. */
export const snapshotSchema = z.object({
  frameworkId: z.union([z.string(), z.null()]),
  connected: z.boolean(),
  unanswered: z.number(),
  apps: z.array(
    z.object({
      id: z.string(),
      run: z.number(),
      labels: z.record(z.string(), z.string()),
      ports: z.array(
        z.object({
          servicePort: z.number(),
          protocol: z.string(),
          name: z.string().optional(),
          checkProtocol: z.string().optional(),
        }),
      ),
      tasks: z.array(
        z.object({
          id: z.string(),
          /** The name of its agent; schedulers of earlier releases don't have it. */
          host: z.string().optional(),
          state: z.enum(['ready', 'ending', 'waiting']),
          /** No health check has failed, and one has no result yet: maybe because the leader is new. */
          unchecked: z.boolean().optional(),
          addresses: z.array(z.union([z.string(), z.null()])),
        }),
      ),
    }),
  ),
});

export type Snapshot = z.output<typeof snapshotSchema>;
export type BalancedApp = Snapshot['apps'][number];
export type BalancedTask = BalancedApp['tasks'][number];

/**
 * True if tasks and apps that are missing in the answer have really ended: the scheduler is connected, the master has
 * confirmed every task since the last failover, and it is the same framework as before.
 */
export function isComplete({ frameworkId, connected, unanswered }: Snapshot, before?: Snapshot): boolean {
  const isSame = before === undefined || before.frameworkId === frameworkId;
  return isSame && connected && unanswered === 0;
}

/**
 * Combines an answer with the previous snapshot. From an incomplete answer, apps and tasks can be added and changed, and
 * none disappears; an address that is not known again yet stays. A task that was ready stays so until it is checked again,
 * since a new leader does not know the results of its predecessor's checks.
 * @param trusted true to believe that another framework has replaced the previous one
 */
export function combine(before: Snapshot | undefined, answer: Snapshot, trusted: boolean): Snapshot {
  if (before === undefined) return answer;
  return combineChecked(before, withReadyTasksOf(answer, before), trusted);
}

function combineChecked(before: Snapshot, answer: Snapshot, trusted: boolean): Snapshot {
  const reference = trusted ? { ...before, frameworkId: answer.frameworkId } : before;
  if (isComplete(answer, reference)) return answer;
  const answered = new Map(answer.apps.map((app) => [app.id, app]));
  const kept = before.apps.filter(({ id }) => !answered.has(id));
  const earlier = new Map(before.apps.map((app) => [app.id, app]));
  return {
    ...answer,
    // Until the answer is complete, it does not count as one of the new framework.
    frameworkId: trusted ? answer.frameworkId : before.frameworkId,
    apps: [...answer.apps.map((app) => withTasksOf(app, earlier.get(app.id))), ...kept],
  };
}

function withReadyTasksOf(answer: Snapshot, before: Snapshot): Snapshot {
  const tasks = answer.apps.flatMap((app) => app.tasks);
  if (!tasks.some(({ unchecked }) => unchecked)) return answer;
  const ready = new Set(
    before.apps.flatMap((app) => app.tasks.filter(({ state }) => state === 'ready').map(({ id }) => id)),
  );
  const checked = (task: BalancedTask): BalancedTask =>
    task.unchecked && ready.has(task.id) ? { ...task, state: 'ready' } : task;
  return { ...answer, apps: answer.apps.map((app) => ({ ...app, tasks: app.tasks.map(checked) })) };
}

/** The names and IP addresses in the addresses of all tasks, without brackets. */
export function addressHosts({ apps }: Snapshot): string[] {
  const addresses = new Set(apps.flatMap(({ tasks }) => tasks.flatMap((task) => task.addresses)));
  const hosts = [...addresses].flatMap((text) => (text === null ? [] : (parseHostPort(text)?.host ?? [])));
  return [...new Set(hosts)];
}

/** The same, and the names of the agents. */
export function hostsIn(snapshot: Snapshot): string[] {
  const agents = snapshot.apps.flatMap(({ tasks }) => tasks.flatMap(({ host }) => host ?? []));
  return [...new Set([...agents, ...addressHosts(snapshot)])];
}

/** The apps in the order in which they were created. An earlier one keeps its names and ports. */
export function oldestFirst({ apps }: Snapshot): BalancedApp[] {
  return apps.toSorted((a, b) => a.run - b.run || (a.id < b.id ? -1 : 1));
}

function withTasksOf(app: BalancedApp, before: BalancedApp | undefined): BalancedApp {
  if (!before) return app;
  const answered = new Set(app.tasks.map(({ id }) => id));
  const earlier = new Map(before.tasks.map((task) => [task.id, task]));
  return {
    ...app,
    tasks: [
      ...app.tasks.map((task) => withAddressesOf(task, earlier.get(task.id))),
      ...before.tasks.filter(({ id }) => !answered.has(id)),
    ],
  };
}

function withAddressesOf(task: BalancedTask, before: BalancedTask | undefined): BalancedTask {
  return { ...task, addresses: task.addresses.map((address, i) => address ?? before?.addresses[i] ?? null) };
}
