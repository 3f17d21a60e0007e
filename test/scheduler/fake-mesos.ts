/**
 * A master and its agents in memory, as far as a scheduler sees them: offers, launches, updates that are repeated
 * until acknowledged, reconciliation. It throws where a scheduler breaks the rules.
 */

import {
  isTerminal,
  type Offer,
  type Resource,
  type SchedulerEvent,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '../../src/mesos/types.ts';
import type { Call } from '../../src/scheduler/decide/inputs.ts';

export interface FakeAgent {
  readonly id: string;
  readonly host: string;
  readonly cpus: number;
  readonly mem: number;
  readonly ports: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface FakeTask {
  readonly info: TaskInfo;
  readonly agentId: string;
  state: TaskState;
  /** Kill was asked for. */
  killed: boolean;
  /** Updates not yet acknowledged, oldest first. */
  readonly updates: TaskStatus[];
}

export class FakeMesos {
  readonly agents: readonly FakeAgent[];
  readonly tasks = new Map<string, FakeTask>();
  /** By agent and id, what each takes; an idle one keeps it. */
  readonly executors = new Map<string, Map<string, readonly Resource[]>>();
  readonly lost = new Set<string>();
  /** Events on their way to the scheduler. */
  inbox: SchedulerEvent[] = [];
  /** Every call, for tests that look at them. */
  readonly calls: Call[] = [];
  onAcknowledge: (status: TaskStatus) => void = () => {};
  #offers = new Map<string, Offer>();
  #declined = new Set<string>();
  #suppressed = false;
  #connected = false;
  #serial = 0;
  readonly #usedIds = new Set<string>();

  constructor(agents: readonly FakeAgent[]) {
    this.agents = agents;
  }

  subscribe(suppressed: boolean): void {
    this.#connected = true;
    this.#suppressed = suppressed;
    this.#offers.clear();
    this.#declined.clear();
    this.inbox = [{ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'framework' } } }];
    for (const task of this.tasks.values()) this.#sendUpdate(task);
  }

  disconnect(): void {
    this.#connected = false;
    this.#offers.clear();
    this.inbox = [];
  }

  /** One round of allocation: an offer from each agent that has something left. */
  offer(): void {
    if (!this.#connected || this.#suppressed) return;
    const offers = this.agents.flatMap((agent) => {
      const held = [...this.#offers.values()].some((offer) => offer.agent_id.value === agent.id);
      return held || this.lost.has(agent.id) || this.#declined.has(agent.id) ? [] : [this.#offerOf(agent)];
    });
    for (const offer of offers) this.#offers.set(offer.id.value, offer);
    if (offers.length > 0) this.inbox.push({ type: 'OFFERS', offers: { offers } });
  }

  rescind(): void {
    const [first] = this.#offers.keys();
    if (first === undefined) return;
    this.#offers.delete(first);
    this.inbox.push({ type: 'RESCIND', rescind: { offer_id: { value: first } } });
  }

  call(call: Call): void {
    this.calls.push(call);
    if (!this.#connected) return;
    switch (call.type) {
      case 'ACCEPT':
        for (const { launch } of call.accept.operations)
          this.#launch(
            call.accept.offer_ids.map(({ value }) => value),
            launch.task_infos,
          );
        return;
      case 'DECLINE':
        for (const { value } of call.decline.offer_ids) {
          const offer = this.#offers.get(value);
          if (offer) this.#declined.add(offer.agent_id.value);
          this.#offers.delete(value);
        }
        return;
      case 'REVIVE':
        this.#suppressed = false;
        this.#declined.clear();
        return;
      case 'SUPPRESS':
        this.#suppressed = true;
        return;
      case 'KILL':
        this.#kill(call.kill.task_id.value);
        return;
      case 'ACKNOWLEDGE':
        this.#acknowledge(call.acknowledge.task_id.value, call.acknowledge.uuid);
        return;
      case 'RECONCILE':
        this.#reconcile(call.reconcile.tasks);
        return;
      default:
        throw new Error(`unexpected ${call.type}`);
    }
  }

  /** Takes a task to another state and sends the update. */
  advance(taskId: string, state: TaskState, more: Partial<TaskStatus> = {}): void {
    const task = this.tasks.get(taskId);
    if (!task || isTerminal(task.state)) return;
    task.state = state;
    this.#serial += 1;
    const idle = task.updates.length === 0;
    task.updates.push({
      task_id: task.info.task_id,
      agent_id: { value: task.agentId },
      state,
      uuid: `uuid-${this.#serial}`,
      ...more,
    });
    if (idle) this.#sendUpdate(task);
  }

  /** Every task does what it is about to: starts, or ends if asked to. @returns whether there was anything to do */
  work(): boolean {
    let any = false;
    for (const task of this.tasks.values()) {
      if (this.lost.has(task.agentId) || isTerminal(task.state)) continue;
      if (task.killed) this.advance(task.info.task_id.value, 'TASK_KILLED');
      else if (task.state === 'TASK_STAGING') this.advance(task.info.task_id.value, 'TASK_RUNNING');
      else continue;
      any = true;
    }
    return any;
  }

  /** Repeats what has not been acknowledged. */
  repeat(): void {
    for (const task of this.tasks.values()) this.#sendUpdate(task);
  }

  lose(agentId: string): void {
    this.lost.add(agentId);
    for (const task of this.#on(agentId)) this.#tell(task.info.task_id.value, 'TASK_UNREACHABLE', agentId);
  }

  bringBack(agentId: string): void {
    this.lost.delete(agentId);
    for (const task of this.#on(agentId)) this.#tell(task.info.task_id.value, task.state, agentId);
  }

  live(): FakeTask[] {
    return [...this.tasks.values()].filter(({ state }) => !isTerminal(state));
  }

  #on(agentId: string): FakeTask[] {
    return this.live().filter((task) => task.agentId === agentId);
  }

  #offerOf(agent: FakeAgent): Offer {
    this.#serial += 1;
    const used = this.#used(agent.id);
    const free = freeRanges(agent.ports, used.ports);
    const attributes = Object.entries(agent.attributes ?? {}).map(([name, value]) => ({
      name,
      type: 'TEXT' as const,
      text: { value },
    }));
    return {
      id: { value: `offer-${this.#serial}` },
      framework_id: { value: 'framework' },
      agent_id: { value: agent.id },
      hostname: agent.host,
      attributes,
      resources: [
        { name: 'cpus', type: 'SCALAR', scalar: { value: agent.cpus - used.cpus }, role: '*' },
        { name: 'mem', type: 'SCALAR', scalar: { value: agent.mem - used.mem }, role: '*' },
        { name: 'disk', type: 'SCALAR', scalar: { value: 1000 }, role: '*' },
        { name: 'ports', type: 'RANGES', ranges: { range: free }, role: '*' },
      ],
      executor_ids: [...(this.executors.get(agent.id)?.keys() ?? [])].map((value) => ({ value })),
    };
  }

  #used(agentId: string): { cpus: number; mem: number; ports: Set<number> } {
    const used = { cpus: 0, mem: 0, ports: new Set<number>() };
    for (const { info } of this.#on(agentId)) for (const r of info.resources) take(used, r);
    for (const resources of this.executors.get(agentId)?.values() ?? []) {
      for (const r of resources) take(used, r);
    }
    return used;
  }

  #launch(offerIds: readonly string[], infos: readonly TaskInfo[]): void {
    const [offerId = ''] = offerIds;
    const offer = this.#offers.get(offerId);
    this.#offers.delete(offerId);
    for (const info of infos) {
      const id = info.task_id.value;
      const agentId = info.agent_id.value;
      if (this.#usedIds.has(id)) throw new Error(`task id ${id} was used twice`);
      this.#usedIds.add(id);
      if (!offer || this.lost.has(agentId)) {
        this.#tell(id, 'TASK_DROPPED', agentId, 'REASON_INVALID_OFFERS');
        continue;
      }
      if (offer.agent_id.value !== agentId) throw new Error(`${id} is not on the agent of its offer`);
      this.tasks.set(id, { info, agentId, state: 'TASK_STAGING', killed: false, updates: [] });
      const executorId = info.executor?.executor_id.value;
      if (executorId !== undefined) {
        const known = this.executors.get(agentId) ?? new Map<string, readonly Resource[]>();
        this.executors.set(agentId, known.set(executorId, info.executor?.resources ?? []));
      }
    }
    this.#check(offer?.agent_id.value);
  }

  /** The agent must never be promised more than it has. */
  #check(agentId: string | undefined): void {
    const agent = this.agents.find(({ id }) => id === agentId);
    if (!agent) return;
    const used = { cpus: 0, mem: 0, ports: new Set<number>() };
    for (const { info } of this.#on(agent.id)) for (const r of info.resources) take(used, r);
    const total = this.#used(agent.id);
    if (total.cpus > agent.cpus + 1e-6 || total.mem > agent.mem + 1e-6)
      throw new Error(
        `${agent.id} has ${agent.cpus} cpus and ${agent.mem} MiB, not ${total.cpus} and ${total.mem}`,
      );
    if (Math.max(0, ...used.ports) >= 31_000 + agent.ports)
      throw new Error(`${agent.id} was never offered port ${Math.max(...used.ports)}`);
  }

  #kill(id: string): void {
    const task = this.tasks.get(id);
    if (!task || isTerminal(task.state)) this.#tell(id, 'TASK_UNKNOWN', undefined);
    else if (!this.lost.has(task.agentId)) task.killed = true;
  }

  #acknowledge(id: string, uuid: string): void {
    const task = this.tasks.get(id);
    const first = task?.updates[0];
    if (!task || first?.uuid !== uuid) return;
    this.onAcknowledge(first);
    task.updates.shift();
    if (task.updates.length === 0 && isTerminal(task.state)) this.tasks.delete(id);
    this.#sendUpdate(task);
  }

  #reconcile(tasks: readonly { task_id: { value: string }; agent_id?: { value: string } }[]): void {
    const asked = tasks.length > 0 ? tasks.map(({ task_id }) => task_id.value) : [...this.tasks.keys()];
    const agentOf = new Map(tasks.map(({ task_id, agent_id }) => [task_id.value, agent_id?.value]));
    for (const id of asked) {
      const task = this.tasks.get(id);
      if (!task) this.#tell(id, 'TASK_GONE', agentOf.get(id), 'REASON_RECONCILIATION');
      else if (this.lost.has(task.agentId))
        this.#tell(id, 'TASK_UNREACHABLE', task.agentId, 'REASON_RECONCILIATION');
      else this.#tell(id, task.state, task.agentId, 'REASON_RECONCILIATION');
    }
  }

  /** An update of the master's own: without a uuid, and sent once. */
  #tell(id: string, state: TaskState, agentId: string | undefined, reason?: string): void {
    if (!this.#connected) return;
    const status: TaskStatus = {
      task_id: { value: id },
      state,
      ...(agentId !== undefined && { agent_id: { value: agentId } }),
      ...(reason !== undefined && { reason }),
    };
    this.inbox.push({ type: 'UPDATE', update: { status } });
  }

  #sendUpdate(task: FakeTask): void {
    const [status] = task.updates;
    if (!status || !this.#connected || this.lost.has(task.agentId)) return;
    this.inbox.push({ type: 'UPDATE', update: { status } });
  }
}

function take(used: { cpus: number; mem: number; ports: Set<number> }, resource: Resource): void {
  if (resource.name === 'cpus') used.cpus += resource.scalar?.value ?? 0;
  if (resource.name === 'mem') used.mem += resource.scalar?.value ?? 0;
  for (const { begin, end } of resource.ranges?.range ?? []) {
    for (let port = begin; port <= end; port += 1) {
      if (used.ports.has(port)) throw new Error(`port ${port} was given twice`);
      used.ports.add(port);
    }
  }
}

function freeRanges(howMany: number, used: ReadonlySet<number>): { begin: number; end: number }[] {
  const ranges: { begin: number; end: number }[] = [];
  for (let port = 31_000; port < 31_000 + howMany; port += 1) {
    if (!used.has(port)) ranges.push({ begin: port, end: port });
  }
  return ranges;
}
