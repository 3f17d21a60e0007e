/** Metrics for operators, served at `/metrics/prometheus`. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { SchedulerCall, SchedulerEvent } from '../mesos/types.ts';
import type { Answered } from './api/answered.ts';
import type { StateEvent } from './domain/events.ts';
import type { State } from './domain/state.ts';
import type { Store } from './store/store.ts';

/** Seconds. An answer from memory takes a millisecond, a write to a slow disk a second. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface Metrics {
  countAnswer(answer: Answered): void;
  /** Counts an event of the master. `seconds`: from its arrival until the resulting changes were stored. */
  countMesosEvent(event: SchedulerEvent, seconds: number): void;
  countCall(call: Pick<SchedulerCall, 'type'>): void;
  countCallFailure(call: Pick<SchedulerCall, 'type'>): void;
  /** Counts a state change that has been stored. */
  countChange(event: StateEvent): void;
  /** @returns the same store, with its appends timed */
  timeStore(store: Store): Store;
  /** Renders the metrics in the text format of Prometheus. */
  render(state: State, listeners: number): Promise<string>;
  readonly contentType: string;
}

/** @param withProcessMetrics also observes memory, CPU and event loop lag of this process, until the process ends */
export function createMetrics({ withProcessMetrics = true } = {}): Metrics {
  const registers = [new Registry()] as const;
  const [registry] = registers;
  if (withProcessMetrics) collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'mesosup_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer; without event streams',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [...registers],
  });
  const lag = new Histogram({
    name: 'mesosup_event_lag_seconds',
    help: 'Time from an event of the Mesos master until the resulting changes were stored',
    buckets: BUCKETS,
    registers: [...registers],
  });
  const appends = new Histogram({
    name: 'mesosup_store_append_duration_seconds',
    help: 'Time to store changes in the journal or ZooKeeper',
    buckets: BUCKETS,
    registers: [...registers],
  });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `mesosup_${name}`, help, labelNames, registers: [...registers] });
  const stored = counter('store_events_total', 'Changes stored');
  const events = counter('mesos_events_total', 'Events of the Mesos master', ['type']);
  const offers = counter('offers_received_total', 'Offers of the Mesos master');
  const calls = counter('mesos_calls_total', 'Calls to the Mesos master', ['type']);
  const failed = counter('mesos_call_failures_total', 'Calls that the Mesos master did not accept', ['type']);
  const launched = counter('tasks_launched_total', 'Tasks launched');
  const killed = counter('tasks_killed_total', 'Tasks killed');
  const updates = counter('task_updates_total', 'Status updates of tasks', ['state']);
  const started = counter('deployments_started_total', 'Deployments started');
  const ended = counter('deployments_ended_total', 'Deployments ended', ['outcome']);
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `mesosup_${name}`, help, labelNames, registers: [...registers] });
  const connected = gauge('connected', '1 while subscribed with a Mesos master');
  const apps = gauge('apps', 'Apps');
  const tasks = gauge('tasks', 'Tasks that have not ended', ['state']);
  const unanswered = gauge('tasks_unanswered', 'Tasks whose state the master has not reported yet');
  const queued = gauge('queue_apps', 'Apps that wait for offers or for the end of a launch delay');
  const missing = gauge('queue_instances', 'Missing instances of the apps in the queue');
  const deployments = gauge('deployments', 'Running deployments');
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
    countCall: ({ type }) => {
      calls.inc({ type });
      // The series exists before the first failure, so that its rate shows the failure.
      failed.inc({ type }, 0);
    },
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
      loadSessions: () => store.loadSessions(),
      saveSessions: (text) => store.saveSessions(text),
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

/** Leaves out daemons: the number of their instances is the number of agents. */
function countMissingInstances(state: State): number {
  let sum = 0;
  for (const id of state.waiting) {
    const record = state.apps.get(id);
    if (record && record.active?.mode !== 'daemon') sum += record.missing;
  }
  return sum;
}
