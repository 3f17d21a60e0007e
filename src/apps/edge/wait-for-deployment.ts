/** Follows a deployment to its end, and shows its progress. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../client/api-client.ts';
import { undefinedIfMissing } from '../../client/api-error.ts';
import { isJson, type Json, parseJson } from '../../json.ts';
import type { AppJson } from '../../scheduler/api/v2/app-schemas.ts';
import type { SingleDeploymentJson } from '../../scheduler/api/v2/deployment-schemas.ts';
import { printable, printableLine } from '../../text/printable.ts';
import { appsOfEvent } from '../event-text.ts';
import { type AppProgress, type Outcome, progressLines } from '../progress.ts';
import type { LiveLines } from './live-lines.ts';

const REFRESH_MS = 1000;
/** How long events may be late after a deployment has disappeared from the list. */
const LATE_MS = 2000;
/** A new leader answers within a minute. */
const PATIENCE_MS = 90_000;
/**
 * A deployment counts a task without health checks as started when it runs: a program that ends at once with an error
 * is seen only after the deployment.
 */
const SETTLE_MS = 1000;
/** Of a deployment with more apps, only the first ones are shown. */
const MAX_APPS = 20;
/** Number of failed tasks whose last output is shown. */
const MAX_OUTPUTS = 3;
const OUTPUT_LINES = 5;
const FAILED = new Set(['TASK_FAILED', 'TASK_ERROR', 'TASK_DROPPED']);
const EVENTS = ['deployment_success', 'deployment_failed', 'status_update_event'];

/** How apps are after a deployment that has succeeded. */
export interface Expected {
  /** Their version. */
  readonly version: string;
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** A deployment that has ended. */
interface Ended {
  readonly outcome: Outcome;
  /** Number of tasks that had failed before its end. */
  readonly failures: number;
}

export class DeploymentWatch {
  readonly #client: ApiClient;
  readonly #lines: LiveLines;
  readonly #signal: AbortSignal;
  readonly #ended = new Map<string, Ended>();
  /** All failed tasks, in the order of the events. */
  readonly #failed: Json[] = [];
  /** Number of failed tasks that were looked at. */
  #seen = 0;
  readonly #shownTasks = new Set<string>();
  readonly #done = new AbortController();
  /** The apps of deployments that have ended, which may be gone before they were looked at. */
  readonly #planned = new Map<string, readonly string[]>();
  /** The apps of the deployment that is followed. */
  #apps: readonly string[] = [];
  #lost: unknown;
  #wake = (): void => {};

  /**
   * Subscribes to the events, so that no deployment that begins afterwards can end unseen.
   * @param signal stops the watch; the deployment goes on
   */
  static async open(client: ApiClient, lines: LiveLines, signal: AbortSignal): Promise<DeploymentWatch> {
    const watch = new DeploymentWatch(client, lines, signal);
    await watch.#listen();
    return watch;
  }

  private constructor(client: ApiClient, lines: LiveLines, signal: AbortSignal) {
    this.#client = client;
    this.#lines = lines;
    this.#signal = AbortSignal.any([signal, this.#done.signal]);
  }

  /**
   * Waits for the end of a deployment, and of the one that rolls it back.
   * @param expected for a deployment that has ended before it was looked at, without a known event
   * @throws ApiError if no scheduler answers for 90 s; the signal's reason
   */
  async outcome(id: string, expected?: Expected): Promise<Outcome> {
    const outcome = await this.#follow(id, expected);
    if (outcome.kind === 'success') return this.#settle(id);
    if (outcome.kind !== 'failed' || !this.#ended.has(id)) return outcome;
    // It may have ended already, if the old instances still ran.
    const rollback = await this.#rollbackOf(id);
    if (rollback !== undefined) {
      this.#lines.keep(`Rolling back by deployment ${rollback}`);
      await this.#follow(rollback, undefined);
    }
    // Another deployment that replaces it gives the apps a new version, not the previous one.
    const isReplaced = outcome.reason.startsWith('replaced by ');
    const isRolledBack = !isReplaced && !(await this.#haveVersion(this.#apps, outcome.version));
    return { ...outcome, isRolledBack };
  }

  /** Must be called at the end. */
  close(): void {
    this.#done.abort();
    this.#lines.finish();
  }

  async #follow(id: string, unseen: Expected | undefined): Promise<Outcome> {
    let expected = unseen;
    let missing: number | undefined;
    let before = performance.now();
    for (;;) {
      const deployment = await this.#deployment(id);
      if (deployment) {
        this.#apps = deployment.affectedApps;
        expected = expectedOf(deployment);
        await this.#show(deployment);
      } else if (this.#apps.length === 0) this.#apps = this.#planned.get(id) ?? [];
      await this.#showFailures();
      const ended = this.#ended.get(id);
      if (ended) {
        this.#lines.update([]);
        return ended.outcome;
      }
      if (!deployment) {
        missing ??= performance.now();
        if (performance.now() - missing > LATE_MS) return this.#findOutcome(expected);
      }
      before = performance.now();
      await Promise.race([this.#woken(), sleep(REFRESH_MS, undefined, { signal: this.#signal })]);
      // Several events arrive at once.
      const passed = performance.now() - before;
      if (!this.#ended.has(id) && passed < 200) await sleep(200, undefined, { signal: this.#signal });
    }
  }

  /** Looks a moment longer at apps without health checks. */
  async #settle(id: string): Promise<Outcome> {
    const failures = this.#ended.get(id)?.failures;
    const found = await Promise.all(this.#apps.slice(0, MAX_APPS).map((app) => this.#app(app)));
    const apps = found.flatMap((one) => (one && isUnchecked(one.app) ? [one.app.id] : []));
    if (failures === undefined || apps.length === 0) return { kind: 'success' };
    const failing = () => {
      const late = new Set(this.#failed.slice(failures).map(({ appId }) => String(appId)));
      return apps.filter((app) => late.has(app));
    };
    const end = performance.now() + SETTLE_MS;
    while (failing().length === 0 && performance.now() < end) {
      const rest = end - performance.now();
      await Promise.race([this.#woken(), sleep(rest, undefined, { signal: this.#signal })]);
    }
    await this.#showFailures();
    return failing().length === 0 ? { kind: 'success' } : { kind: 'failing', apps: failing() };
  }

  async #deployment(id: string): Promise<SingleDeploymentJson | undefined> {
    const found = this.#client.call('GET', '/v2/deployments/{id}', { path: { id } }, this.#limits());
    return found.catch(undefinedIfMissing);
  }

  async #show(deployment: SingleDeploymentJson): Promise<void> {
    const { id, currentStep: step, totalSteps: steps, failures, affectedApps } = deployment;
    const apps = await Promise.all(affectedApps.slice(0, MAX_APPS).map((app) => this.#progressOf(app)));
    if (this.#ended.has(id)) return;
    this.#lines.update(progressLines({ id, step, steps, failures, apps }, this.#lines.width));
  }

  async #progressOf(id: string): Promise<AppProgress> {
    const found = await this.#app(id, { embed: ['app.taskStats'] });
    if (!found) return { id };
    const { app } = found;
    const known = (app.tasksRunning ?? 0) + (app.tasksStaged ?? 0);
    if (app.mode === 'daemon' || known >= app.instances) return { id, app };
    const explained = await this.#client
      .call('GET', '/v2/apps/{id}/explain', { path: { id } }, this.#limits())
      .catch(undefinedIfMissing);
    return { id, app, waiting: explained?.missing ? explained.reasons[0] : undefined };
  }

  /** Shows the last output of the first failed tasks. */
  async #showFailures(): Promise<void> {
    // They are shown when the apps are known.
    if (this.#apps.length === 0) return;
    const failed = this.#failed.slice(this.#seen);
    this.#seen = this.#failed.length;
    for (const { appId, taskId, message, host, taskStatus } of failed) {
      const id = String(taskId);
      if (!this.#apps.includes(String(appId)) || this.#shownTasks.has(id)) continue;
      this.#shownTasks.add(id);
      if (this.#shownTasks.size > MAX_OUTPUTS) continue;
      // The executor's message may end with the lines that follow.
      const why = message
        ? String(message)
            .split('\n', 1)[0]
            ?.replace(/\.? Last lines of stderr:$/, '')
        : taskStatus;
      this.#lines.keep(printable(`Task ${id} on ${host} failed: ${why}`));
      for (const line of await this.#lastLines(id)) this.#lines.keep(`  | ${printableLine(line)}`);
    }
  }

  async #lastLines(id: string): Promise<string[]> {
    const query = { stream: 'stderr', tail: OUTPUT_LINES };
    const text = await this.#client
      .text('/v2/tasks/{id}/log', { path: { id }, query }, { patienceMs: 0, signal: this.#signal })
      .catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  async #rollbackOf(id: string): Promise<string | undefined> {
    const running = await this.#client.call('GET', '/v2/deployments', {}, this.#limits());
    const details = await Promise.all(running.map((one) => this.#deployment(one.id)));
    return details.find((one) => one?.rollbackOf === id)?.id;
  }

  /** After a change of the leader, the event of the end may be missed: the apps tell how it ended. */
  async #findOutcome(expected: Expected | undefined): Promise<Outcome> {
    if (!expected || expected.changed.length + expected.removed.length === 0) return { kind: 'unknown' };
    const { version, changed, removed } = expected;
    const versions = async (ids: readonly string[]) =>
      Promise.all(ids.map(async (id) => (await this.#app(id))?.app.version));
    const isDone =
      (await versions(changed)).every((one) => one === version) &&
      (await versions(removed)).every((one) => one === undefined);
    if (isDone) return { kind: 'success' };
    const reason = 'its apps have other versions now, so it was rolled back or replaced';
    return { kind: 'failed', reason, version, isRolledBack: false };
  }

  /** True if all these apps, as far as they exist, have the version. False if none exists. */
  async #haveVersion(apps: readonly string[], version: string): Promise<boolean> {
    const found = await Promise.all(apps.map((id) => this.#app(id)));
    const existing = found.flatMap((one) => (one ? [one.app.version] : []));
    return existing.length > 0 && existing.every((one) => one === version);
  }

  #app(id: string, query: { embed?: string[] } = {}) {
    return this.#client
      .call('GET', '/v2/apps/{id}', { path: { id }, query }, this.#limits())
      .catch(undefinedIfMissing);
  }

  #limits() {
    return { patienceMs: PATIENCE_MS, signal: this.#signal };
  }

  #woken(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost;
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #listen(): Promise<void> {
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
    const read = async (): Promise<void> => {
      const query = { event_type: EVENTS, 'plan-format': 'light' };
      const limits = { ...this.#limits(), onOpen: resolve };
      for await (const { data } of this.#client.events('/v2/events', { query }, limits)) {
        const event = parseJson(data);
        if (isJson(event)) this.#take(event);
      }
    };
    read().catch((error: unknown) => {
      reject(error);
      if (this.#signal.aborted) return;
      this.#lost = error;
      this.#wake();
    });
    return opened;
  }

  #take(event: Json): void {
    const { eventType, id, reason } = event;
    if (eventType === 'deployment_success' || eventType === 'deployment_failed') {
      this.#planned.set(String(id), appsOfEvent(event));
      const version = isJson(event.plan) ? String(event.plan.version) : '';
      const outcome: Outcome =
        eventType === 'deployment_success'
          ? { kind: 'success' }
          : { kind: 'failed', reason: String(reason ?? ''), version, isRolledBack: false };
      this.#ended.set(String(id), { outcome, failures: this.#failed.length });
    } else if (FAILED.has(String(event.taskStatus))) this.#failed.push(event);
    this.#wake();
  }
}

/** @returns undefined for a rollback, after which each app has an older version of its own */
function expectedOf({
  version,
  affectedApps,
  steps,
  rollbackOf,
}: SingleDeploymentJson): Expected | undefined {
  if (rollbackOf !== undefined) return undefined;
  const actions = steps.flatMap((step) => step.actions);
  const stopped = new Set(actions.flatMap(({ action, app }) => (action === 'StopApplication' ? [app] : [])));
  return {
    version,
    changed: affectedApps.filter((app) => !stopped.has(app)),
    removed: [...stopped],
  };
}

/** True if an app should have instances, and only their states tell whether they work. */
function isUnchecked({ instances, healthChecks }: Pick<AppJson, 'instances' | 'healthChecks'>): boolean {
  return instances > 0 && healthChecks.length === 0;
}
