/** A master without HTTP, with a clock and timers that tests control. */

import { registerAgent } from '../../src/embedded/master/agents.ts';
import { subscribe } from '../../src/embedded/master/frameworks.ts';
import { Metrics } from '../../src/embedded/master/metrics.ts';
import type { Agent, AgentStream, Master, SchedulerStream } from '../../src/embedded/master/model.ts';
import { type CallType, handleCall, type RawCall } from '../../src/embedded/master/scheduler-call.ts';
import type { MasterMessage, ReportedTask } from '../../src/embedded/wire/agent-link.ts';
import { parseAttributes, parseResources } from '../../src/embedded/wire/resource-text.ts';
import type {
  ExecutorInfo,
  FrameworkInfo,
  Offer,
  OfferConstraints,
  SchedulerEvent,
  TaskInfo,
  TaskStatus,
} from '../../src/mesos/types.ts';
import { FakeClock } from './fake-clock.ts';

/** The id of every fake master. */
export const MASTER_ID = '11111111-2222-4333-8444-555555555555';

export class FakeScheduler implements SchedulerStream {
  readonly id: string;
  readonly events: SchedulerEvent[] = [];
  closed = false;
  constructor(id: string) {
    this.id = id;
  }
  send(event: SchedulerEvent): void {
    this.events.push(event);
  }
  close(): void {
    this.closed = true;
  }
  /** Returns the statuses since the last call. */
  updates(): TaskStatus[] {
    return this.take((e) => (e.type === 'UPDATE' ? [e.update.status] : []));
  }
  offers(): Offer[] {
    return this.take((e) => (e.type === 'OFFERS' ? e.offers.offers : []));
  }
  of<T extends SchedulerEvent['type']>(type: T): Extract<SchedulerEvent, { type: T }>[] {
    return this.take((e) => (e.type === type ? [e as Extract<SchedulerEvent, { type: T }>] : []));
  }
  private take<T>(pick: (event: SchedulerEvent) => T[]): T[] {
    const taken = this.events.map((event) => ({ event, found: pick(event) }));
    const left = taken.filter(({ found }) => found.length === 0).map(({ event }) => event);
    this.events.splice(0, this.events.length, ...left);
    return taken.flatMap(({ found }) => found);
  }
}

export class FakeAgentStream implements AgentStream {
  readonly messages: MasterMessage[] = [];
  closed = false;
  send(message: MasterMessage): void {
    this.messages.push(message);
  }
  close(): void {
    this.closed = true;
  }
  of<T extends MasterMessage['type']>(type: T): Extract<MasterMessage, { type: T }>[] {
    return this.messages.filter((m): m is Extract<MasterMessage, { type: T }> => m.type === type);
  }
}

export class FakeMaster {
  readonly clock = new FakeClock();
  readonly master: Master = {
    id: MASTER_ID,
    info: { id: MASTER_ID, ip: 16_777_343, port: 5050 },
    settings: {
      allocationIntervalMs: 1000,
      agentPingTimeoutMs: 15_000,
      maxAgentPingTimeouts: 5,
      agentReregisterTimeoutMs: 600_000,
    },
    ports: {
      now: () => this.clock.now,
      timer: this.clock.timer,
      log: () => {},
      saveRegistry: async () => {},
    },
    metrics: new Metrics(),
    startTime: this.clock.now,
    recovering: false,
    registryKept: false,
    frameworks: new Map(),
    completedFrameworks: new Map(),
    agents: new Map(),
    unreachableAgents: new Map(),
    recoveredAgents: new Map(),
    deactivated: new Set(),
    draining: new Map(),
    gone: new Map(),
    offers: new Map(),
    next: { framework: 0, agent: 0, offer: 0, operation: 0 },
    allocationPending: false,
  };
  #streams = 0;

  subscribe(
    info: Partial<FrameworkInfo> = {},
    suppressed_roles: string[] = [],
    offer_constraints: OfferConstraints = {},
  ): FakeScheduler {
    this.#streams += 1;
    const stream = new FakeScheduler(`stream-${this.#streams}`);
    const framework_info = frameworkInfo(info);
    subscribe(this.master, { framework_info, suppressed_roles, offer_constraints }, stream);
    this.clock.settle();
    return stream;
  }

  register(
    resources: string,
    more: {
      id?: string;
      tasks?: ReportedTask[];
      executors?: ExecutorInfo[];
      frameworks?: FrameworkInfo[];
      hostname?: string;
      attributes?: string;
    } = {},
  ): { agent: Agent; stream: FakeAgentStream } {
    const stream = new FakeAgentStream();
    const agent = registerAgent(
      this.master,
      {
        type: 'REGISTER',
        agent_info: {
          hostname: more.hostname ?? 'host',
          port: 5051,
          resources: parseResources(resources),
          attributes: parseAttributes(more.attributes ?? ''),
          ...(more.id ? { id: { value: more.id } } : {}),
        },
        ip: '127.0.0.1',
        version: '1.11.0',
        frameworks: more.frameworks ?? [],
        executors: more.executors ?? [],
        tasks: more.tasks ?? [],
      },
      stream,
    );
    this.clock.settle();
    if (!agent) throw new Error('the master told the agent to shut down');
    return { agent, stream };
  }

  /** Makes a call of the framework that subscribed on this stream. */
  call(scheduler: FakeScheduler, type: CallType, part: Omit<RawCall, 'type' | 'framework_id'> = {}): void {
    const framework = [...this.master.frameworks.values()].find((f) => f.stream === scheduler);
    if (!framework) throw new Error('that scheduler is not subscribed');
    handleCall(this.master, framework, { type, framework_id: { value: framework.id }, ...part });
    this.clock.settle();
  }

  launch(
    scheduler: FakeScheduler,
    offers: readonly Offer[],
    tasks: TaskInfo[],
    refuse_seconds?: number,
  ): void {
    this.call(scheduler, 'ACCEPT', {
      accept: {
        offer_ids: offers.map((o) => o.id),
        operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }],
        ...(refuse_seconds === undefined ? {} : { filters: { refuse_seconds } }),
      },
    });
  }
}

export function frameworkInfo(info: Partial<FrameworkInfo> = {}): FrameworkInfo {
  return {
    user: 'root',
    name: 'test',
    checkpoint: true,
    failover_timeout: 3600,
    roles: ['*'],
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'PARTITION_AWARE' }],
    ...info,
  };
}

/** Builds a command task, or a task of `executor`. */
export function taskInfo(id: string, offer: Offer, resources: string, executor?: ExecutorInfo): TaskInfo {
  return {
    name: id,
    task_id: { value: id },
    agent_id: offer.agent_id,
    resources: parseResources(resources),
    ...(executor ? { executor } : { command: { value: 'true' } }),
  };
}

export function executorInfo(id: string, resources: string): ExecutorInfo {
  return {
    executor_id: { value: id },
    command: { value: '/executor' },
    resources: parseResources(resources),
  };
}
