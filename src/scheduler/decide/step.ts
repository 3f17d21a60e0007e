/**
 * The step function of the scheduler, the only way to change the state in production, simulation and tests. Each input
 * of a batch is decided on the state after the inputs before it; then the consequences of all inputs are settled. Does
 * no I/O; like `evolve`, it changes the state in place.
 */

import type { StateEvent, StoredEvent } from '../domain/events.ts';
import { evolve } from '../domain/evolve.ts';
import type { State } from '../domain/state.ts';
import { isStored } from '../domain/stored-events.ts';
import { decide } from './decide.ts';
import type { Call, Decision, Input } from './inputs.ts';
import { settle } from './settle.ts';

/** A deployment settles in a few rounds for each of its steps, and has at most as many steps as apps. */
const MIN_ROUNDS = 10_000;
const ROUNDS_PER_RECORD = 100;
/** Number of inputs named in an error. */
const MAX_NAMED = 5;

export type Outcome =
  | { readonly decision: Decision }
  /** The input could not be decided and changed nothing. */
  | { readonly error: unknown };

/** The consequences of a batch of inputs. */
export interface Step {
  /** One for each input, in order. */
  readonly outcomes: readonly Outcome[];
  /** All changes of the state, in order. Published once `stored` is stored. */
  readonly events: readonly StateEvent[];
  /** The events to store before any call, reply or notice of this step leaves. */
  readonly stored: readonly StoredEvent[];
  readonly calls: readonly Call[];
}

/** Called before and after each event; `settling` is true for events that no input caused directly. */
export interface StepWatch {
  before?(state: State, event: StateEvent, settling: boolean): void;
  after?(state: State, event: StateEvent): void;
}

/** The state does not settle. It is ahead of the stored events then, so the process must not continue with it. */
export class UnsettledError extends Error {
  override name = 'UnsettledError';
}

/**
 * @param now milliseconds since the epoch
 * @throws UnsettledError
 */
export function step(state: State, inputs: readonly Input[], now: number, watch: StepWatch = {}): Step {
  const outcomes: Outcome[] = [];
  const handled: Input[] = [];
  const events: StateEvent[] = [];
  const stored: StoredEvent[] = [];
  const calls: Call[] = [];
  const apply = (changes: readonly StateEvent[], settling: boolean): void => {
    for (const event of changes) {
      watch.before?.(state, event, settling);
      evolve(state, event);
      watch.after?.(state, event);
      events.push(event);
      if (isStored(event)) stored.push(event);
    }
  };

  for (const input of inputs) {
    const outcome = tryDecide(state, input, now);
    outcomes.push(outcome);
    if ('error' in outcome) continue;
    handled.push(input);
    apply(outcome.decision.events, false);
    calls.push(...outcome.decision.calls);
  }
  const most = MIN_ROUNDS + ROUNDS_PER_RECORD * (state.apps.size + state.deployments.size);
  for (let round = 0; ; round += 1) {
    const settled = settle(state, now);
    if (settled.events.length === 0) break;
    if (round === most) throw unsettledError(handled, settled.events, most);
    apply(settled.events, true);
    calls.push(...settled.calls);
  }
  return { outcomes, events, stored, calls };
}

/** An error in `decide` affects a single input, since `decide` does not change the state. */
function tryDecide(state: State, input: Input, now: number): Outcome {
  try {
    return { decision: decide(state, input, now) };
  } catch (error) {
    return { error };
  }
}

function unsettledError(
  inputs: readonly Input[],
  [event]: readonly StateEvent[],
  rounds: number,
): UnsettledError {
  const named = inputs.slice(0, MAX_NAMED).map(describeInput).join(', ');
  const more = inputs.length > MAX_NAMED ? ` and ${inputs.length - MAX_NAMED} more` : '';
  return new UnsettledError(
    `the state did not settle in ${rounds} rounds after ${named}${more}; the next event was ${JSON.stringify(event)}`,
  );
}

/** Describes an input for error messages. */
function describeInput(input: Input): string {
  switch (input.type) {
    case 'change':
      return `change (${input.changes.map((one) => `${one.op} ${targetOf(one)}`).join(', ')})`;
    case 'mesos':
      return input.event.type === 'UPDATE'
        ? `UPDATE of task ${input.event.update.status.task_id.value}`
        : input.event.type;
    case 'call_failed':
      return `call_failed of ${input.call.type}`;
    case 'probed':
      return `probed of task ${input.taskId}`;
    case 'cancel_deployment':
      return `cancel_deployment of ${input.deploymentId}`;
    case 'agent_answered':
      return `agent_answered of ${input.agentId}`;
    case 'drain_agent':
      return `drain_agent of ${input.agentId}`;
    case 'lift_delay':
      return `lift_delay of ${input.appId}`;
    case 'kill_tasks':
    case 'started':
    case 'disconnected':
    case 'timer':
      return input.type;
  }
}

function targetOf(change: Extract<Input, { type: 'change' }>['changes'][number]): string {
  if ('appId' in change) return change.appId;
  if ('app' in change) return change.app.id;
  if ('group' in change) return change.group.id;
  return 'groupId' in change ? change.groupId : change.deploymentId;
}
