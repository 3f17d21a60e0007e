import fc from 'fast-check';
import { expect, it } from 'vitest';
import { app, settings } from '../../../test/scheduler/fixtures.ts';
import type { Offer } from '../../mesos/types.ts';
import type { App } from './app.ts';
import type { Deployment } from './deployment.ts';
import type { StateEvent } from './events.ts';
import { evolve } from './evolve.ts';
import { beginSnapshot, snapshotOf } from './snapshot.ts';
import { createState, type State } from './state.ts';
import type { Task } from './task.ts';
import { dueTimers, nextTimer, popTimers, pushTimer, type Timers } from './timers.ts';

function after(...events: (StateEvent | StateEvent[])[]): State {
  const state = createState(settings());
  for (const event of events.flat()) evolve(state, event);
  return state;
}

const task: Task = {
  id: 't',
  appId: '/multidis',
  run: 1,
  version: app().version,
  configVersion: app().configVersion,
  agentId: 'S0',
  host: 'a',
  ports: [],
  executorId: 'e',
  launchedAt: 5,
  checked: false,
  state: 'TASK_STAGING',
};

/** The events of an app whose first deployment has ended. */
function begun(one: App): StateEvent[] {
  const deployment: Deployment = {
    id: `d${one.id}`,
    version: one.version,
    startedAt: 1,
    steps: [[{ type: 'start', appId: one.id }]],
    appIds: [one.id],
    before: { apps: [], groups: [] },
  };
  return [
    { type: 'app_changed', app: one, at: 1 },
    { type: 'deployment_started', deployment },
    { type: 'deployment_ended', deploymentId: deployment.id, outcome: 'success', at: 1 },
  ];
}

const started = begun(app());

const OFFER: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 'a' },
  hostname: 'h',
  resources: [],
};

it.each<StateEvent>([
  { type: 'app_removed', appId: 'x', at: 0 },
  { type: 'deployment_stepped', deploymentId: 'x', step: 1, at: 0 },
  { type: 'deployment_ended', deploymentId: 'x', outcome: 'failed', at: 0 },
  { type: 'task_updated', taskId: 'x', state: 'TASK_RUNNING', at: 0 },
  { type: 'task_killed', taskId: 'x', at: 0 },
  { type: 'app_delayed', appId: 'x', delayMs: 1, at: 0 },
  { type: 'delay_passed', appId: 'x', at: 0 },
  { type: 'delay_lifted', appId: 'x', at: 0 },
  {
    type: 'offer_refused',
    appId: 'x',
    agentId: 'a',
    host: 'h',
    reason: 'r',
    checks: [],
    offer: OFFER,
    at: 0,
  },
  { type: 'offers_weighed', appId: 'x', processed: 1, refused: new Map(), used: false, at: 0 },
  { type: 'task_answered', taskId: 'x' },
])('$type has no effect on missing objects', (event) => {
  expect(after(event)).toEqual(createState(settings()));
});

it('increases the revision of a changed app', () => {
  const state = after(begun(app()));
  const changes: StateEvent[] = [
    { type: 'app_changed', app: app({ cpus: 2 }), at: 2 },
    { type: 'task_launched', task },
    { type: 'task_updated', taskId: 't', state: 'TASK_RUNNING', at: 6 },
    { type: 'task_killed', taskId: 't', at: 7 },
    { type: 'task_updated', taskId: 't', state: 'TASK_KILLED', at: 8 },
  ];
  for (const change of changes) {
    const before = state.apps.get('/multidis')?.revision ?? 0;
    evolve(state, change);
    expect([change.type, state.apps.get('/multidis')?.revision]).not.toEqual([change.type, before]);
  }
});

it('does not modify the events', () => {
  const launched: StateEvent = { type: 'task_launched', task: { ...task } };
  const state = after(started, launched, { type: 'task_updated', taskId: 't', state: 'TASK_RUNNING', at: 9 });
  expect(launched.task.state).toBe('TASK_STAGING');
  expect(state.tasks.get('t')).toMatchObject({ state: 'TASK_RUNNING', runningAt: 9 });
});

it('keeps the time of the first kill, and the reason of the last update', () => {
  const state = after(
    started,
    { type: 'task_launched', task },
    { type: 'task_updated', taskId: 't', state: 'TASK_RUNNING', at: 6, reason: 'R', message: 'm' },
    { type: 'task_updated', taskId: 't', state: 'TASK_KILLING', at: 7 },
    { type: 'task_killed', taskId: 't', at: 8 },
    { type: 'task_killed', taskId: 't', at: 9 },
  );
  expect(state.tasks.get('t')).toMatchObject({ killedAt: 8, state: 'TASK_KILLING', runningAt: 6 });
  expect(state.tasks.get('t')).not.toHaveProperty('reason');
});

it('counts the tasks of an executor across apps', () => {
  const other = { ...task, id: 'u', appId: 'gone', run: 7 };
  const state = after(started, { type: 'task_launched', task }, { type: 'task_launched', task: other });
  expect(state.executors.get('S0')?.get('e')).toBe(2);
  evolve(state, { type: 'task_updated', taskId: 'u', state: 'TASK_FINISHED', at: 1 });
  expect(state.executors.get('S0')?.get('e')).toBe(1);
  evolve(state, { type: 'task_updated', taskId: 't', state: 'TASK_FINISHED', at: 1 });
  expect(state.executors.size).toBe(0);
});

it('keeps killing the tasks of a removed app that is created again', () => {
  const state = after(
    started,
    { type: 'task_launched', task },
    { type: 'app_removed', appId: '/multidis', at: 2 },
    started,
    { type: 'task_updated', taskId: 't', state: 'TASK_RUNNING', at: 3 },
    { type: 'task_killed', taskId: 't', at: 4 },
  );
  expect(state.apps.get('/multidis')).toMatchObject({ counted: 0, missing: 2 });
  expect(state.tasks.get('t')).toMatchObject({ killedAt: 2, state: 'TASK_RUNNING' });
});

it('keeps in a snapshot what v2 shows: the last failure, launches, and all runs', () => {
  const state = after(
    { type: 'framework_registered', frameworkId: 'f' },
    started,
    { type: 'task_launched', task },
    { type: 'task_updated', taskId: 't', state: 'TASK_FAILED', at: 3, message: 'm' },
    begun(app({ id: 'y' })),
    { type: 'app_removed', appId: '/y', at: 4 },
  );
  const again = after(...snapshotOf(state));
  expect(again.frameworkId).toBe('f');
  expect(again.runs).toBe(2);
  expect(again.apps.get('/multidis')).toMatchObject({
    launches: 1,
    lastFailure: { message: 'm' },
    missing: 2,
  });
});

it.each<StateEvent>([
  { type: 'task_updated', taskId: 't', state: 'TASK_FAILED', at: 3 },
  { type: 'task_draining', taskId: 't', at: 3, until: 9 },
  { type: 'task_killed', taskId: 't', at: 3 },
  { type: 'task_given_up', taskId: 't', at: 3 },
  { type: 'app_removed', appId: '/multidis', at: 3 },
  { type: 'task_launched', task: { ...task, id: 'u' } },
])('lists a snapshot as it began, after $type', (event) => {
  const state = after(
    started,
    { type: 'task_launched', task },
    { type: 'task_updated', taskId: 't', state: 'TASK_UNREACHABLE', at: 2 },
  );
  const before = structuredClone([...snapshotOf(state)]);
  const snapshot = beginSnapshot(state);
  snapshot.before(state, event);
  evolve(state, event);
  expect([...snapshotOf(state)]).not.toEqual(before);
  expect([...snapshot.events()]).toEqual(before);
});

it('returns timers in the order of their times', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(60), (times, now) => {
      const timers: Timers = [];
      for (const at of times) pushTimer(timers, { at, timer: { kind: 'delay', appId: String(at) } });
      expect(nextTimer(timers)).toBe(times.length > 0 ? Math.min(...times) : undefined);
      const due = dueTimers(timers, now).map((timer) => (timer.kind === 'delay' ? Number(timer.appId) : -1));
      expect(due.sort((a, b) => a - b)).toEqual(times.filter((at) => at <= now).sort((a, b) => a - b));
      popTimers(timers, now);
      const left: number[] = [];
      for (let at = nextTimer(timers); at !== undefined; at = nextTimer(timers)) {
        left.push(...dueTimers(timers, at).map(() => at));
        popTimers(timers, at);
      }
      expect(left).toEqual(times.filter((at) => at > now).sort((a, b) => a - b));
    }),
  );
});
