/**
 * Simulates a master and its agents in memory, as a scheduler sees them: offers, launches, updates that are repeated
 * until acknowledged, reconciliation, agents and masters that disappear and return. It has no clock, so nothing happens
 * by itself. Throws if a scheduler breaks the rules.
 */

import { passesConstraints } from '../mesos/offer-constraints.ts';
import { type Amounts, contains } from '../mesos/resources.ts';
import {
  isTerminal,
  type Offer,
  type OfferConstraints,
  type OperationStatus,
  type SchedulerEvent,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '../mesos/types.ts';
import type { Call } from '../scheduler/decide/inputs.ts';
import { Agent, type AgentSpec, converted, type ResourceOperation, take } from './agent.ts';

export interface SimulatedTask {
  readonly info: TaskInfo;
  readonly agentId: string;
  state: TaskState;
  /** The state known to the master. */
  known: TaskState;
  /** True after a KILL. */
  killed: boolean;
  /** True if the launch has reached the agent. */
  readonly arrived: boolean;
  /** Updates not yet acknowledged, oldest first. */
  readonly updates: TaskStatus[];
}

/** Hooks for the environment of the simulated cluster. */
export interface MesosHooks {
  now?: () => number;
  onAcknowledge?: (status: TaskStatus) => void;
  /** Called when an agent receives a task or a kill. */
  onTask?: (task: SimulatedTask) => void;
  /** Called when a shared executor becomes idle. */
  onIdle?: (agentId: string, executorId: string) => void;
  /** @returns the reason for which an operation is refused */
  refuseOperation?: (operation: ResourceOperation) => string | undefined;
  /** @returns true if the next update gets lost */
  losesUpdate?: () => boolean;
}

const FRAMEWORK = 'framework';
const VERSION = '1.11.0';

export class SimulatedMesos {
  readonly agents = new Map<string, Agent>();
  /** Tasks that have not ended, or whose end has not been acknowledged. */
  readonly tasks = new Map<string, SimulatedTask>();
  /** Partitioned agents, and those of them that the master has marked unreachable. */
  readonly partitioned = new Set<string>();
  readonly unreachable = new Set<string>();
  /** Agents that have not registered with a new master yet. */
  readonly awaited = new Set<string>();
  /** Events on their way to the scheduler. */
  inbox: SchedulerEvent[] = [];
  readonly #hooks: MesosHooks;
  readonly #role: string;
  readonly #offers = new Map<string, { agent: Agent; left: Amounts }>();
  /** Results of operations that are not acknowledged, by operation id. */
  readonly #results = new Map<string, OperationStatus>();
  readonly #unacknowledged = new Set<string>();
  readonly #usedIds = new Set<string>();
  readonly #gone = new Set<string>();
  #suppressed = false;
  #constraints: OfferConstraints = {};
  #connected = false;
  #serial = 0;
  /** Offers made so far. */
  offerCount = 0;

  constructor(agents: readonly AgentSpec[], hooks: MesosHooks = {}, role = '*') {
    for (const spec of agents) this.join(spec);
    this.#hooks = hooks;
    this.#role = role;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Adds an agent. */
  join(spec: AgentSpec): void {
    this.agents.set(spec.id, new Agent(spec));
  }

  subscribe(suppressed: boolean, constraints: OfferConstraints = {}): void {
    this.disconnect();
    this.#connected = true;
    this.#suppressed = suppressed;
    this.#constraints = constraints;
    for (const agent of this.agents.values()) agent.filteredUntil = 0;
    const master_info = { id: 'master', ip: 0, hostname: 'master.example', port: 5050, version: VERSION };
    this.inbox.push({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: FRAMEWORK }, master_info } });
    this.repeat();
  }

  disconnect(): void {
    this.#connected = false;
    for (const id of [...this.#offers.keys()]) this.#forget(id);
    this.inbox = [];
  }

  /** Another master becomes the leader; it knows agents and their tasks only once they have registered. */
  failOver(): void {
    this.disconnect();
    for (const id of this.agents.keys()) if (!this.unreachable.has(id)) this.awaited.add(id);
  }

  /** Runs one allocation: an offer for each agent with free resources. */
  offer(): void {
    if (!this.#connected || this.#suppressed) return;
    const now = this.#now();
    const offers: Offer[] = [];
    for (const agent of this.agents.values()) {
      if (agent.offerId !== undefined || agent.filteredUntil > now || !this.#isReachable(agent.spec.id))
        continue;
      const { attributes, spec } = agent;
      if (!passesConstraints(this.#constraints, this.#role, { hostname: spec.host, attributes })) continue;
      const offer = this.#offerOf(agent);
      if (offer) offers.push(offer);
    }
    this.offerCount += offers.length;
    if (offers.length > 0) this.inbox.push({ type: 'OFFERS', offers: { offers } });
  }

  /** Rescinds an offer; by default the oldest. */
  rescind([id] = [...this.#offers.keys()]): void {
    if (id === undefined || !this.#offers.has(id)) return;
    this.#forget(id);
    this.inbox.push({ type: 'RESCIND', rescind: { offer_id: { value: id } } });
  }

  call(call: Call): void {
    if (!this.#connected) return;
    switch (call.type) {
      case 'ACCEPT':
        for (const one of call.accept.operations) {
          if (one.type === 'LAUNCH') this.#launch(call.accept.offer_ids, one.launch.task_infos);
          else this.#operate(call.accept.offer_ids[0]?.value ?? '', one);
        }
        for (const { value } of call.accept.offer_ids)
          this.#filter(value, call.accept.filters?.refuse_seconds);
        return;
      case 'DECLINE':
        for (const { value } of call.decline.offer_ids)
          this.#filter(value, call.decline.filters?.refuse_seconds);
        return;
      case 'REVIVE':
        this.#suppressed = false;
        for (const agent of this.agents.values()) agent.filteredUntil = 0;
        return;
      case 'SUPPRESS':
        this.#suppressed = true;
        return;
      case 'UPDATE_FRAMEWORK': {
        const { suppressed_roles = [], offer_constraints = {} } = call.update_framework;
        this.#suppressed = suppressed_roles.includes(this.#role);
        this.#constraints = offer_constraints;
        return;
      }
      case 'KILL':
        this.#kill(call.kill.task_id.value);
        return;
      case 'ACKNOWLEDGE':
        this.#acknowledge(call.acknowledge.task_id.value, call.acknowledge.uuid);
        return;
      case 'SHUTDOWN':
        this.#shutDown(call.shutdown.agent_id.value, call.shutdown.executor_id.value);
        return;
      case 'ACKNOWLEDGE_OPERATION_STATUS':
        this.#results.delete(call.acknowledge_operation_status.operation_id.value);
        return;
      case 'RECONCILE_OPERATIONS':
        for (const { operation_id } of call.reconcile_operations.operations) {
          const { uuid: _, ...known } = this.#results.get(operation_id.value) ?? {
            operation_id,
            state: 'OPERATION_UNKNOWN' as const,
          };
          this.#sendResult(known);
        }
        return;
      case 'RECONCILE':
        this.#reconcile(call.reconcile.tasks);
        return;
      default:
        throw new Error(`unexpected ${call.type}`);
    }
  }

  /** Moves a task to another state and sends the update. */
  advance(taskId: string, state: TaskState, more: Partial<TaskStatus> = {}): void {
    const task = this.tasks.get(taskId);
    if (!task || isTerminal(task.state)) return;
    task.state = state;
    this.#serial += 1;
    task.updates.push({
      task_id: task.info.task_id,
      agent_id: { value: task.agentId },
      state,
      uuid: `uuid-${this.#serial}`,
      ...more,
    });
    this.#unacknowledged.add(taskId);
    if (task.updates.length === 1) this.#sendUpdate(task);
    if (!isTerminal(state)) return;
    const idle = this.agents.get(task.agentId)?.remove(task.info);
    if (idle !== undefined) this.#hooks.onIdle?.(task.agentId, idle);
  }

  /** Starts all staging tasks, and ends the killed ones. @returns true if any task changed */
  work(): boolean {
    let any = false;
    for (const task of this.tasks.values()) {
      if (!this.#isReachable(task.agentId) || isTerminal(task.state)) continue;
      if (task.killed) this.advance(task.info.task_id.value, 'TASK_KILLED');
      else if (task.state === 'TASK_STAGING') this.advance(task.info.task_id.value, 'TASK_RUNNING');
      else continue;
      any = true;
    }
    return any;
  }

  /** Sends unacknowledged updates again. */
  repeat(): void {
    for (const status of this.#results.values()) this.#sendResult(status);
    for (const id of this.#unacknowledged) {
      const task = this.tasks.get(id);
      if (task) this.#sendUpdate(task);
    }
  }

  /** Ends an idle executor, and rescinds the agent's offer. */
  endExecutor(agentId: string, executorId: string): void {
    const agent = this.agents.get(agentId);
    if (agent?.endExecutor(executorId)) this.rescind([agent.offerId ?? '']);
  }

  /** The master marks an agent unreachable. */
  lose(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (!agent || this.unreachable.has(agentId)) return;
    this.unreachable.add(agentId);
    this.awaited.delete(agentId);
    this.rescind([agent.offerId ?? '']);
    for (const id of agent.tasks) this.#sendStatus(id, 'TASK_UNREACHABLE', agentId);
  }

  /** The agent registers again, also with a new master; tasks whose launch never arrived are dropped. */
  bringBack(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (!agent) return;
    this.partitioned.delete(agentId);
    this.unreachable.delete(agentId);
    this.awaited.delete(agentId);
    for (const id of [...agent.tasks]) {
      const task = this.tasks.get(id);
      if (!task) continue;
      task.known = task.state;
      if (task.arrived) this.#sendStatus(id, task.state, agentId, 'REASON_SLAVE_REREGISTERED');
      else this.advance(id, 'TASK_DROPPED', { reason: 'REASON_RECONCILIATION' });
    }
    this.repeat();
  }

  /** Removes an agent permanently, with all of its tasks. */
  remove(agentId: string): void {
    const agent = this.agents.get(agentId);
    if (!agent) return;
    this.rescind([agent.offerId ?? '']);
    for (const [id, task] of this.tasks) {
      if (task.agentId !== agentId) continue;
      this.tasks.delete(id);
      this.#unacknowledged.delete(id);
      this.#sendStatus(id, 'TASK_GONE_BY_OPERATOR', agentId);
    }
    this.agents.delete(agentId);
    this.#gone.add(agentId);
    for (const set of [this.partitioned, this.unreachable, this.awaited]) set.delete(agentId);
  }

  live(): SimulatedTask[] {
    return [...this.tasks.values()].filter(({ state }) => !isTerminal(state));
  }

  /** True if the agent is registered and reachable. */
  #isReachable(agentId: string): boolean {
    return !this.partitioned.has(agentId) && !this.unreachable.has(agentId) && !this.awaited.has(agentId);
  }

  #now(): number {
    return this.#hooks.now?.() ?? 0;
  }

  #offerOf(agent: Agent): Offer | undefined {
    const resources = agent.offered(this.#role);
    if (resources.length === 0) return undefined;
    this.#serial += 1;
    const id = `offer-${this.#serial}`;
    agent.offerId = id;
    this.#offers.set(id, { agent, left: agent.free });
    return {
      id: { value: id },
      framework_id: { value: FRAMEWORK },
      agent_id: { value: agent.spec.id },
      hostname: agent.spec.host,
      attributes: agent.attributes,
      resources,
      executor_ids: [...agent.executors.keys()].map((value) => ({ value })),
    };
  }

  #forget(offerId: string): void {
    const agent = this.#offers.get(offerId)?.agent;
    if (agent) agent.offerId = undefined;
    this.#offers.delete(offerId);
  }

  #filter(offerId: string, seconds = 5): void {
    const offer = this.#offers.get(offerId);
    // A filter does not apply to resources that became free in the meantime.
    if (offer && seconds > 0 && contains(offer.left, offer.agent.free)) {
      offer.agent.filteredUntil = this.#now() + seconds * 1000;
    }
    this.#forget(offerId);
  }

  #launch(offerIds: readonly { value: string }[], infos: readonly TaskInfo[]): void {
    const offer = this.#offers.get(offerIds[0]?.value ?? '');
    for (const info of infos) {
      const id = info.task_id.value;
      const agentId = info.agent_id.value;
      if (this.#usedIds.has(id)) throw new Error(`task id ${id} was used twice`);
      this.#usedIds.add(id);
      if (!offer || this.unreachable.has(agentId)) {
        this.#sendStatus(id, 'TASK_DROPPED', agentId, 'REASON_INVALID_OFFERS');
        continue;
      }
      if (offer.agent.spec.id !== agentId) throw new Error(`${id} is not on the agent of its offer`);
      offer.left = take(offer.left, offer.agent.needs(info), id);
      offer.agent.add(info);
      const arrived = this.#isReachable(agentId);
      const state = 'TASK_STAGING' as const;
      const task = { info, agentId, state, known: state, killed: false, arrived, updates: [] };
      this.tasks.set(id, task);
      if (arrived) this.#hooks.onTask?.(task);
    }
  }

  /** Applies an operation, or reports why it is refused. */
  #operate(offerId: string, operation: ResourceOperation): void {
    const offer = this.#offers.get(offerId);
    const { id: operation_id = { value: '' } } = operation;
    const agentId = offer?.agent.spec.id ?? '';
    const refused = (state: OperationStatus['state'], message: string) =>
      this.#sendResult({ operation_id, state, message });
    const reason = this.#hooks.refuseOperation?.(operation);
    const left = offer && converted(offer.left, operation);
    if (!offer || this.unreachable.has(agentId)) {
      refused('OPERATION_ERROR', 'Operation attempted with invalid offers');
      return;
    }
    if (reason !== undefined || !left) {
      refused('OPERATION_ERROR', reason ?? 'the offer does not contain the resources');
      return;
    }
    offer.left = left;
    offer.agent.apply(operation);
    this.#serial += 1;
    const uuid = { value: `uuid-${this.#serial}` };
    const status = { operation_id, state: 'OPERATION_FINISHED' as const, uuid, agent_id: { value: agentId } };
    this.#results.set(operation_id.value, status);
    this.#sendResult(status);
  }

  #sendResult(status: OperationStatus): void {
    if (this.#connected)
      this.inbox.push({ type: 'UPDATE_OPERATION_STATUS', update_operation_status: { status } });
  }

  /** Ends an executor. The scheduler may only shut down one whose tasks have ended. */
  #shutDown(agentId: string, executorId: string): void {
    const { executors } = this.agents.get(agentId) ?? {};
    const left = executors?.get(executorId)?.tasks.size ?? 0;
    if (left > 0) throw new Error(`SHUTDOWN of ${executorId}, which has ${left} tasks`);
    executors?.delete(executorId);
  }

  #kill(id: string): void {
    const task = this.tasks.get(id);
    if (task && this.#isAwaited(task.agentId)) return;
    if (!task || isTerminal(task.state)) this.#sendStatus(id, 'TASK_UNKNOWN', undefined);
    else if (this.#isReachable(task.agentId)) {
      const again = task.killed;
      task.killed = true;
      if (!again) this.#hooks.onTask?.(task);
    }
  }

  #acknowledge(id: string, uuid: string): void {
    const task = this.tasks.get(id);
    const first = task?.updates[0];
    if (!task || first?.uuid !== uuid || !this.#isReachable(task.agentId)) return;
    this.#hooks.onAcknowledge?.(first);
    task.updates.shift();
    if (task.updates.length > 0) {
      this.#sendUpdate(task);
      return;
    }
    this.#unacknowledged.delete(id);
    if (isTerminal(task.state)) this.tasks.delete(id);
  }

  #reconcile(tasks: readonly { task_id: { value: string }; agent_id?: { value: string } }[]): void {
    if (tasks.length === 0) {
      for (const [id, { agentId }] of this.tasks)
        if (!this.#isAwaited(agentId)) this.#answerReconciliation(id, agentId);
      return;
    }
    for (const { task_id, agent_id } of tasks) {
      const agentId = this.tasks.get(task_id.value)?.agentId ?? agent_id?.value;
      // A new master does not answer for agents that have not registered yet.
      if (agentId === undefined || !this.#isAwaited(agentId))
        this.#answerReconciliation(task_id.value, agentId);
    }
  }

  #answerReconciliation(id: string, agentId: string | undefined): void {
    const task = this.tasks.get(id);
    const gone = this.#gone.has(agentId ?? '') ? 'TASK_GONE_BY_OPERATOR' : 'TASK_GONE';
    const isUnreachable = this.unreachable.has(task?.agentId ?? agentId ?? '');
    const state = isUnreachable ? 'TASK_UNREACHABLE' : task?.known;
    this.#sendStatus(id, state ?? gone, agentId, 'REASON_RECONCILIATION');
  }

  #isAwaited(agentId: string): boolean {
    return this.awaited.has(agentId);
  }

  /** Sends an update of the master itself: without a uuid, and only once. */
  #sendStatus(id: string, state: TaskState, agentId: string | undefined, reason?: string): void {
    if (!this.#connected) return;
    const status: TaskStatus = {
      task_id: { value: id },
      state,
      ...(agentId !== undefined && { agent_id: { value: agentId } }),
      ...(reason !== undefined && { reason }),
    };
    this.inbox.push({ type: 'UPDATE', update: { status } });
  }

  #sendUpdate(task: SimulatedTask): void {
    const [status] = task.updates;
    if (!status || !this.#isReachable(task.agentId)) return;
    if (this.#hooks.losesUpdate?.()) return;
    task.known = task.state;
    if (!this.#connected) return;
    this.inbox.push({ type: 'UPDATE', update: { status } });
  }
}
