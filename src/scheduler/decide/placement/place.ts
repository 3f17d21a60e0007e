import { mustAsk } from '../../domain/agents.ts';
import type { App } from '../../domain/app.ts';
import { countProbes, isOnAgent } from '../../domain/checks.ts';
import type { StateEvent } from '../../domain/events.ts';
import { type Check, MAX_REFUSALS, reasonOf } from '../../domain/placement.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { ownContainerizer, taskId } from '../tasks/form.ts';
import { taskInfo } from '../tasks/task-info.ts';
import { type Bin, checkStages, fill } from './bin.ts';
import { type Candidate, Candidates } from './candidates.ts';
import { findBroken } from './constraints.ts';
import { fieldsOf } from './fields.ts';
import { Shelf, type Shelved } from './shelf.ts';
import { type Want, wantOf } from './want.ts';

/** The offers of one event while they are being filled. */
export interface Round {
  readonly state: State;
  readonly now: number;
  readonly inOrder: readonly Shelved[];
  readonly shelves: Map<string, Shelf>;
  readonly events: StateEvent[];
  /** Number of bins tried without success so far. */
  effort: number;
  /** True once the agents were asked for their flags. */
  asked: boolean;
}

/** Costs of an app without a place, and of reporting a refusal, in units of tried bins. */
export const EFFORT_OF_APP = 100;
const EFFORT_OF_REFUSAL = 5;

/** @returns whether all missing instances of the app found a place */
export function place(round: Round, record: AppRecord): boolean {
  const { active } = record;
  if (!active) return true;
  const { state, now, events } = round;
  const want = wantOf(active, state.settings);
  if (ownContainerizer(want.form) !== undefined) askAgents(round);
  const shelf = shelfFor(round, want);
  const candidates = new Candidates(shelf, record, active);
  let placed = 0;
  for (; placed < record.missing; placed += 1) {
    const found = candidates.next();
    if (!found) break;
    const task = newTask(state, record, active, found, placed, now);
    events.push(...launch(state, task, now));
    const allotment = fill(found.bin, want, found.fit);
    found.bin.tasks.push(taskInfo(active, want.form, task, allotment, state.settings));
    candidates.placed(found);
  }
  const broken = candidates.close();
  if (placed === record.missing) return true;
  round.effort += EFFORT_OF_APP + candidates.tries;
  reportRefusals(round, record, { app: active, shelf, candidates, broken, placed });
  // A daemon always wants more agents, so it counts as placed.
  return active.mode === 'daemon';
}

/** Asks the agents of a round for their flags, once. Agents without an answer are tried when it has come. */
export function askAgents(round: Round): void {
  if (round.asked) return;
  round.asked = true;
  for (const { bin } of round.inOrder) {
    const { agent_id, url } = bin.offer;
    const agentId = agent_id.value;
    const host = url && (url.address.ip ?? url.address.hostname);
    if (host === undefined || !mustAsk(bin.agent, round.now)) continue;
    const address = host.includes(':') ? `[${host}]` : host;
    const event: StateEvent = {
      type: 'agent_asked',
      agentId,
      url: `${url?.scheme}://${address}:${url?.address.port}/flags`,
      at: round.now,
    };
    round.events.push(event);
    bin.agent ??= { askedAt: round.now, answered: false };
  }
}

export function shelfFor({ shelves, inOrder, state }: Round, want: Want): Shelf {
  const known = shelves.get(want.shape);
  if (known) return known;
  const shelf = new Shelf(want, inOrder, state.settings.maxInstancesPerOffer);
  shelves.set(want.shape, shelf);
  return shelf;
}

function newTask(
  state: State,
  record: AppRecord,
  app: App,
  { bin, fit, fields }: Candidate,
  placed: number,
  now: number,
): Task {
  let n = record.launches + placed;
  const probes = countProbes(app);
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
    ports: fit.ports,
    ...(fit.executor && { executorId: fit.executor.id }),
    ...(app.constraints.length > 0 && { fields }),
    launchedAt: now,
    checked: app.healthChecks.some(isOnAgent),
    ...(probes > 0 && { probes }),
    state: 'TASK_STAGING',
  };
}

/** Stores the launch of a task, and kills it if there is no update in time. */
export function launch({ settings, connection }: State, task: Task, now: number): StateEvent[] {
  const at = now + settings.taskLaunchTimeoutMs;
  return [
    { type: 'task_launched', task },
    { type: 'timer_set', at, timer: { kind: 'launch', taskId: task.id, connection } },
  ];
}

interface Outcome {
  readonly app: App;
  readonly shelf: Shelf;
  readonly candidates: Candidates;
  /** Bins that violate a constraint. */
  readonly broken: readonly Bin[];
  readonly placed: number;
}

/** Reports what the offers lacked: counts by stage, and all checks for a limited number of agents. */
export function reportRefusals(round: Round, record: AppRecord, outcome: Outcome): void {
  const { app, shelf, broken, placed } = outcome;
  const { events, now: at } = round;
  const brokenOn = new Map(broken.map((bin) => [bin.offer.agent_id.value, bin]));
  for (const agentId of agentsToReport(record, brokenOn, shelf)) {
    const bin = brokenOn.get(agentId) ?? shelf.failedOn(agentId);
    if (!bin) continue;
    round.effort += EFFORT_OF_REFUSAL;
    const checks = [
      ...(brokenOn.has(agentId) ? checkStages(bin, shelf.want) : shelf.checks(agentId)),
      constraintsCheck(outcome, bin),
    ];
    const failed = checks.find(({ ok }) => !ok);
    const reason = failed && reasonOf(failed);
    // Reported once, not each time the same offer comes.
    if (reason === undefined || record.refusals.get(agentId)?.reason === reason) continue;
    const { offer } = bin;
    events.push({
      type: 'offer_refused',
      appId: app.id,
      agentId,
      host: offer.hostname,
      reason,
      checks,
      offer,
      at,
    });
  }
  const refused = new Map(shelf.refused);
  if (broken.length > 0) refused.set('constraints', broken.length);
  const processed = [...refused.values()].reduce((sum, times) => sum + times, placed);
  events.push({ type: 'offers_weighed', appId: app.id, processed, refused, used: placed > 0, at });
}

/** Yields the agents whose refusals are recorded already, and further agents up to the limit. */
function* agentsToReport(
  { refusals }: AppRecord,
  brokenOn: ReadonlyMap<string, Bin>,
  shelf: Shelf,
): Generator<string> {
  let left = MAX_REFUSALS - refusals.size;
  const few = brokenOn.size + shelf.failedCount <= MAX_REFUSALS;
  if (!few) for (const id of refusals.keys()) if (brokenOn.has(id) || shelf.failedOn(id)) yield id;
  for (const ids of [brokenOn.keys(), shelf.failed()]) {
    for (const id of ids) {
      if (refusals.has(id)) {
        if (few) yield id;
        continue;
      }
      left -= 1;
      if (left >= 0) yield id;
      else if (!few) return;
    }
  }
}

function constraintsCheck({ app, candidates }: Outcome, bin: Bin): Check {
  if (app.constraints.length === 0) return { stage: 'constraints', ok: true, broken: [] };
  const broken = findBroken(candidates.rules, fieldsOf(app, bin.offer));
  return { stage: 'constraints', ok: broken.length === 0, broken };
}
