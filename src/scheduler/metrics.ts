/** What operators watch, as `/metrics/prometheus` shows it. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { SchedulerCall, SchedulerEvent } from '../mesos/types.ts';
import type { Answered } from './api/answered.ts';
import type { StateEvent } from './domain/events.ts';
import type { State } from './domain/state.ts';
import type { Store } from './store/store.ts';

/** Seconds; an answer from memory takes a millisecond, and a slow disk a second. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface Metrics {
  countAnswer(answer: Answered): void;
  /** An event of the master; `seconds` from when it came to when what follows from it was stored. */
  countMesosEvent(event: SchedulerEvent, seconds: number): void;
  countCall(call: Pick<SchedulerCall, 'type'>): void;
  countCallFailure(call: Pick<SchedulerCall, 'type'>): void;
  /** A change of state that has been stored. */
  countChange(event: StateEvent): void;
  /** The same store, timed. */
  timeStore(store: Store): Store;
  /** In Prometheus' text format. */
  render(state: State, listeners: number): Promise<string>;
  readonly contentType: string;
}

/** @param withProcessMetrics with memory, CPU and the event loop's lag of this process, for which it observes that for good */
export function createMetrics({ withProcessMetrics = true } = {}): Metrics {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  if (withProcessMetrics) collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'mesosup_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer; event streams are left out',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [...registers],
  });
  const lag = new Histogram({
    name: 'mesosup_event_lag_seconds',
    help: 'Time from an event of the Mesos master to when what follows from it was stored',
    buckets: BUCKETS,
    registers: [...registers],
  });
  const appends = new Histogram({
    name: 'mesosup_store_append_duration_seconds',
    help: 'Time until changes were safe in the journal or ZooKeeper',
    buckets: BUCKETS,
    registers: [...registers],
  });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `mesosup_${name}`, help, labelNames, registers: [...registers] });
  const stored = counter('store_events_total', 'Changes stored');
  const events = counter('mesos_events_total', 'Events of the Mesos master', ['type']);
  const offers = counter('offers_received_total', 'Offers of the Mesos master');
  const calls = counter('mesos_calls_total', 'Calls to the Mesos master', ['type']);
  const failed = counter('mesos_call_failures_total', 'Calls that the Mesos master did not take', ['type']);
  const launched = counter('tasks_launched_total', 'Tasks launched');
  const killed = counter('tasks_killed_total', 'Tasks asked to end');
  const updates = counter('task_updates_total', 'What Mesos told of tasks', ['state']);
  const started = counter('deployments_started_total', 'Deployments started');
  const ended = counter('deployments_ended_total', 'Deployments ended', ['outcome']);
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `mesosup_${name}`, help, labelNames, registers: [...registers] });
  const connected = gauge('connected', '1 while subscribed with a Mesos master');
  const apps = gauge('apps', 'Apps');
  const tasks = gauge('tasks', 'Tasks that have not ended', ['state']);
  const unanswered = gauge('tasks_unanswered', 'Tasks that the master has yet to answer for');
  const queued = gauge('queue_apps', 'Apps that wait for offers or for a delay to pass');
  const missing = gauge('queue_instances', 'Instances that they lack');
  const deployments = gauge('deployments', 'Deployments under way');
  const streams = gauge('event_streams', 'Listeners to /v2/events');

  return {
    contentType: registry.contentType,
    countAnswer: ({ method, route, status, seconds }) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    countMesosEvent: (event, seconds) => {
      events.inc({ type: event.type });
      if (event.type === 'OFFERS') offers.inc(event.offers.offers.length);
      lag.observe(seconds);
    },
    countCall: ({ type }) => calls.inc({ type }),
    countCallFailure: ({ type }) => failed.inc({ type }),
    countChange: (event) => {
      if (event.type === 'task_launched') launched.inc();
      else if (event.type === 'task_killed') killed.inc();
      else if (event.type === 'task_updated') updates.inc({ state: event.state });
      else if (event.type === 'deployment_started') started.inc();
      else if (event.type === 'deployment_ended') ended.inc({ outcome: event.outcome });
    },
    timeStore: (store) => ({
      append: async (changes) => {
        const end = appends.startTimer();
        await store.append(changes);
        end();
        stored.inc(changes.length);
      },
      load: () => store.load(),
      snapshot: (changes) => store.snapshot(changes),
      snapshotDue: () => store.snapshotDue(),
      close: () => store.close(),
    }),
    render: async (state, listeners) => {
      connected.set(state.connected ? 1 : 0);
      apps.set(state.apps.size);
      unanswered.set(state.unanswered.size);
      queued.set(state.waiting.size);
      deployments.set(state.deployments.size);
      streams.set(listeners);
      missing.set(countMissingInstances(state));
      tasks.reset();
      for (const { state: name } of state.tasks.values()) tasks.inc({ state: name });
      return registry.metrics();
    },
  };
}

/** A daemon wants as many as there are agents, which is no number to count. */
function countMissingInstances(state: State): number {
  let sum = 0;
  for (const id of state.waiting) {
    const record = state.apps.get(id);
    if (record && record.active?.mode !== 'daemon') sum += record.missing;
  }
  return sum;
}
