import { expect, it } from 'vitest';
import { app, scale, settings, start } from '../../../test/scheduler/fixtures.ts';
import type { StateEvent } from '../domain/events.ts';
import { snapshotOf } from '../domain/snapshot.ts';
import { createState } from '../domain/state.ts';
import { isStored } from '../domain/stored-events.ts';
import type { Input } from './inputs.ts';
import { step } from './step.ts';

const BROKEN = { type: 'mesos', event: { type: 'UPDATE', update: {} } } as unknown as Input;

it('decides each input of a batch on the state after the inputs before it', () => {
  const state = createState(settings());
  const inputs = [scale('/x', 3), start(app({ id: 'x' })), scale('/x', 3)];
  const { outcomes } = step(state, inputs, 1);
  const replies = outcomes.map((one) => 'decision' in one && one.decision.reply?.type);
  expect(replies).toEqual(['unknown_app', 'deployed', 'deployed']);
  expect(state.apps.get('/x')?.app.instances).toBe(3);
});

it('drops only the input that cannot be decided', () => {
  const state = createState(settings());
  const { outcomes } = step(state, [start(app({ id: 'x' })), BROKEN, start(app({ id: 'y' }))], 1);
  expect(outcomes.map((one) => 'error' in one)).toEqual([false, true, false]);
  expect([...state.apps.keys()]).toEqual(['/x', '/y']);
});

it('returns all events in the order of application, and the events to store', () => {
  const state = createState(settings());
  const seen: [StateEvent, boolean][] = [];
  const { events, stored } = step(state, [start(app({ instances: 0 }))], 1, {
    before: (_state, event, settling) => seen.push([event, settling]),
  });
  expect(seen.map(([event]) => event)).toEqual(events);
  expect(seen.map(([{ type }, settling]) => `${type} ${settling}`)).toEqual([
    'change_accepted false',
    'app_changed false',
    'deployment_started false',
    'apps_settled true',
    'deployment_settled true',
    'deployment_ended true',
  ]);
  expect(stored).toEqual(events.filter(isStored));
});

it('names the inputs after which the state does not settle', () => {
  const state = createState(settings());
  // Settling never ends.
  state.unsettledApps.add('/gone');
  state.unsettledApps.clear = () => {};
  const inputs: Input[] = [
    start(app({ id: 'x' })),
    BROKEN,
    { type: 'change', changes: [{ op: 'scale_group', groupId: '/', by: 2 }], force: true, seed: 0 },
    { type: 'lift_delay', appId: '/x' },
    { type: 'call_failed', call: { type: 'REVIVE' } },
    {
      type: 'mesos',
      event: { type: 'UPDATE', update: { status: { task_id: { value: 't' }, state: 'TASK_RUNNING' } } },
    },
    { type: 'timer' },
  ];
  expect(() => step(state, inputs, 1)).toThrow(
    'the state did not settle in 10200 rounds after change (create /x), change (scale_group /), lift_delay of /x, ' +
      'call_failed of REVIVE, UPDATE of task t and 1 more; the next event was {"type":"apps_settled"}',
  );
});

it('stores the writing release when it changes, and keeps it in a snapshot', () => {
  const state = createState(settings());
  const stored = ['1', '1', '2'].map((release) => step(state, [{ type: 'started', release }], 1).stored);
  expect(stored).toEqual([
    [{ type: 'release_changed', release: '1' }],
    [],
    [{ type: 'release_changed', release: '2' }],
  ]);
  expect([...snapshotOf(state)][0]).toEqual({ type: 'release_changed', release: '2' });
});
