import type { Offer } from '../../mesos/types.ts';
import type { App } from '../domain/app.ts';
import { isOnAgent, probesOf } from '../domain/checks.ts';
import type { StateEvent } from '../domain/events.ts';
import type { AppRecord, State } from '../domain/state.ts';
import { isCounted, type Task } from '../domain/task.ts';
import { uuidOf } from '../domain/uuid.ts';
import { type Bin, type Fit, fill, openBin, tryFit } from './bin.ts';
import { decline } from './calls.ts';
import { addToSpread, type Spread, spreadOf } from './constraints.ts';
import { type Form, formOf, taskId } from './form.ts';
import type { Call, Decision } from './inputs.ts';
import { taskInfo } from './task-info.ts';

/**
 * Fills offers with the tasks that wait. Each offer is answered at once, so none is ever held: one ACCEPT with all
 * that fits, or a DECLINE that keeps it away until offers are asked for again.
 */
export function offered(state: State, offers: readonly Offer[], now: number): Decision {
  const bins = offers.map((offer) => openBin(offer, state));
  const events: StateEvent[] = [];
  let allPlaced = true;
  for (const appId of state.ready) {
    const record = state.apps.get(appId);
    if (record && !place(state, record, bins, events, now)) allPlaced = false;
  }
  return { events, calls: answers(state, bins, allPlaced) };
}

/** A bin, and how many of the app's tasks its agent has: the agent with the fewest comes first. */
interface Candidate {
  readonly bin: Bin;
  readonly count: () => number;
}

/** @returns whether all missing instances of the app found a place */
function place(state: State, record: AppRecord, bins: Bin[], events: StateEvent[], now: number): boolean {
  const { active } = record;
  if (!active) return true;
  const form = formOf(active, state.settings);
  const spread = spreadOf(record);
  const counts = new Map<string, number>();
  const taken = active.mode === 'daemon' ? agentsOf(record, active) : undefined;
  let open = bins.flatMap((bin): Candidate[] => {
    const agentId = bin.offer.agent_id.value;
    if (taken?.has(agentId)) return [];
    return [{ bin, count: () => (record.perAgent.get(agentId) ?? 0) + (counts.get(agentId) ?? 0) }];
  });
  for (let placed = 0; placed < record.missing; placed += 1) {
    const found = firstFit(state, active, form, open, spread);
    open = found.open;
    for (const [bin, reason] of found.refused) events.push(...refusal(record, bin, reason));
    // A daemon has its place on every agent that would do.
    if (!found.fit) return active.mode === 'daemon';
    const { bin, fit } = found.fit;
    const task = newTask(state, record, active, bin, fit, placed, now);
    events.push(...launch(state, task, now));
    bin.tasks.push(taskInfo(active, form, task, state.settings));
    fill(bin, active, fit, state.settings);
    if (fit.fields) addToSpread(spread, active, fit.fields);
    counts.set(task.agentId, (counts.get(task.agentId) ?? 0) + 1);
    if (taken) open = open.filter((candidate) => candidate.bin !== bin);
  }
  return true;
}

interface Found {
  fit?: { bin: Bin; fit: Fit };
  refused: [Bin, string][];
  /** Bins still worth trying for the app's next task. */
  open: Candidate[];
}

function firstFit(state: State, app: App, form: Form, open: Candidate[], spread: Spread): Found {
  const refused: [Bin, string][] = [];
  const sorted = open.toSorted((a, b) => a.count() - b.count());
  for (const [i, { bin }] of sorted.entries()) {
    const result = tryFit(bin, app, form, spread, state.settings);
    if (typeof result === 'string') {
      refused.push([bin, result]);
      continue;
    }
    // What has refused once has only less to give, unless groups must first fill up evenly.
    const grouped = app.constraints.some(([, operator]) => operator === 'GROUP_BY');
    return { fit: { bin, fit: result }, refused, open: grouped ? sorted : sorted.slice(i) };
  }
  return { refused, open: [] };
}

/** The agents that have a task of this definition already. */
function agentsOf({ tasks }: AppRecord, { configVersion }: App): Set<string> {
  const current = [...tasks.values()].filter(
    (task) => isCounted(task) && task.configVersion === configVersion,
  );
  return new Set(current.map(({ agentId }) => agentId));
}

function newTask(
  state: State,
  record: AppRecord,
  app: App,
  bin: Bin,
  { ports, executorId, fields }: Fit,
  placed: number,
  now: number,
): Task {
  let n = record.launches + placed;
  const probes = probesOf(app, ports).length;
  const id = () => taskId(app, n, uuidOf(now, record.run, n), now);
  while (state.tasks.has(id())) n += Math.min(record.missing, 1000);
  return {
    id: id(),
    appId: app.id,
    run: record.run,
    version: app.version,
    configVersion: app.configVersion,
    agentId: bin.offer.agent_id.value,
    host: bin.offer.hostname,
    ports,
    ...(executorId !== undefined && { executorId }),
    ...(fields && { fields }),
    launchedAt: now,
    checked: app.healthChecks.some(isOnAgent),
    ...(probes > 0 && { probes }),
    state: 'TASK_STAGING',
  };
}

function launch({ settings, connection }: State, task: Task, now: number): StateEvent[] {
  const at = now + settings.taskLaunchTimeoutMs;
  return [
    { type: 'task_launched', task },
    { type: 'timer_set', at, timer: { kind: 'launch', taskId: task.id, connection } },
  ];
}

/** Told once, not each time the same offer comes. */
function refusal(record: AppRecord, { offer }: Bin, reason: string): StateEvent[] {
  const agentId = offer.agent_id.value;
  if (record.refusals.get(agentId)?.reason === reason) return [];
  return [{ type: 'offer_refused', appId: record.app.id, agentId, host: offer.hostname, reason }];
}

function answers(state: State, bins: readonly Bin[], allPlaced: boolean): Call[] {
  const calls: Call[] = [];
  const unused: Bin[] = [];
  // What is left of an accepted offer is worth seeing again only while something waits.
  const refuse_seconds = allPlaced ? state.settings.declineOfferMs / 1000 : 0;
  for (const bin of bins) {
    if (bin.tasks.length === 0) {
      unused.push(bin);
      continue;
    }
    calls.push({
      type: 'ACCEPT',
      accept: {
        offer_ids: [bin.offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: bin.tasks } }],
        filters: { refuse_seconds },
      },
    });
  }
  if (unused.length > 0)
    calls.push(
      decline(
        unused.map(({ offer }) => offer.id),
        state.settings,
      ),
    );
  return calls;
}
