import { afterEach, expect, it, vi } from 'vitest';
import { app, scale, settings, start, stop } from '../../test/scheduler/fixtures.ts';
import { MesosCallError } from '../mesos/http.ts';
import type { Call } from './decide/inputs.ts';
import type { StateEvent, StoredEvent } from './domain/events.ts';
import { createState } from './domain/state.ts';
import { createMetrics } from './metrics.ts';
import { noticeFor } from './notices.ts';
import { createRunner, type RunnerOptions } from './runner.ts';
import { createMemoryStore } from './store/memory.ts';
import { loadAll } from './store/store.ts';

afterEach(() => {
  vi.useRealTimers();
});

function runner(more: Partial<RunnerOptions<StateEvent | string>> = {}) {
  const log: string[] = [];
  const disk: StoredEvent[] = [];
  const state = createState(settings());
  const made = createRunner<StateEvent | string>({
    state,
    store: createMemoryStore(disk),
    now: Date.now,
    send: async ({ type }: Call) => void log.push(`call ${type}, ${disk.length} stored`),
    describe: (_state, event) => [event],
    publish: (events) =>
      void log.push(
        `published ${events.map((one) => (typeof one === 'string' ? one : one.type)).join(' ')}, ${disk.length} stored`,
      ),
    onError: (what) => void log.push(what),
    onFatal: (message) => void log.push(`fatal: ${message}`),
    onNewSession: () => void log.push('new session'),
    ...more,
  });
  return { made, log, disk, state };
}

const SUBSCRIBED = {
  type: 'mesos',
  event: { type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'f' } } },
} as const;

it('stores first, then calls, replies and publishes', async () => {
  const { made, log } = runner();
  await made.submit(SUBSCRIBED);
  expect(await made.submit(start(app()))).toMatchObject({ type: 'deployed' });
  await made.stop();
  expect(log).toEqual([
    'published framework_registered connected timer_set, 1 stored',
    'call REVIVE, 3 stored',
    'published change_accepted app_changed deployment_started apps_settled deployment_settled offers_revived, 3 stored',
  ]);
});

it('stores the events of simultaneous inputs together', async () => {
  const store = createMemoryStore();
  const append = vi.spyOn(store, 'append');
  const { made } = runner({ store });
  await Promise.all(['a', 'b', 'c'].map((id) => made.submit(start(app({ id })))));
  expect(append).toHaveBeenCalledOnce();
  expect(append.mock.calls[0]?.[0]).toHaveLength(6);
  await made.stop();
});

it('sends and answers nothing when the disk fails, and stops', async () => {
  const store = createMemoryStore();
  store.append = () => Promise.reject(new Error('disk full'));
  const { made, log } = runner({ store });
  let answered = false;
  void made.submit(start(app())).then(() => {
    answered = true;
  });
  await vi.waitFor(() => expect(log).toEqual(['fatal: the state could not be stored: disk full']));
  expect(answered).toBe(false);
});

it('counts a change only once it is stored', async () => {
  const metrics = createMetrics({ withProcessMetrics: false });
  const store = createMemoryStore();
  const { promise: written, resolve: finish } = Promise.withResolvers<void>();
  const append = vi.spyOn(store, 'append').mockReturnValue(written);
  const { made, state } = runner({
    store,
    publish: (_notices, events) => {
      for (const event of events) metrics.countChange(event);
    },
  });
  const started = made.submit(start(app()));
  await vi.waitFor(() => expect(append).toHaveBeenCalledOnce());
  expect(await metrics.render(state, 0)).toContain('mesosup_deployments_started_total 0');
  finish();
  await started;
  expect(await metrics.render(state, 0)).toContain('mesosup_deployments_started_total 1');
  await made.stop();
});

it('stops if the state does not settle, with nothing stored, sent or answered', async () => {
  const { made, log, disk, state } = runner();
  state.unsettledApps.add('/gone');
  state.unsettledApps.clear = () => {};
  void made.submit(start(app())).then(() => log.push('answered'));
  await vi.waitFor(
    () =>
      expect(log).toEqual([
        expect.stringMatching(/^fatal: the scheduler can't continue: .* after change \(create \/multidis\)/),
      ]),
    { timeout: 20_000 },
  );
  await made.stop();
  expect([disk, log.length]).toEqual([[], 1]);
});

it('survives an input that cannot be handled', async () => {
  const { made, log } = runner();
  const broken = { type: 'mesos', event: { type: 'UPDATE', update: {} } } as never;
  await expect(made.submit(broken)).rejects.toThrow(TypeError);
  made.post(broken);
  expect(await made.submit(start(app()))).toMatchObject({ type: 'deployed' });
  expect(log.filter((line) => line.includes('could not be handled'))).toHaveLength(2);
  await made.stop();
});

it('rejects with the error of a reader', async () => {
  const { made } = runner();
  await expect(
    made.read(() => {
      throw new Error('x');
    }),
  ).rejects.toThrow('x');
  await made.stop();
});

it('handles failed calls', async () => {
  const { made, log, state } = runner({ send: () => Promise.reject(new Error('no')) });
  await made.submit(SUBSCRIBED);
  await made.submit(start(app()));
  await vi.waitFor(() => expect(state.timers.some(({ timer }) => timer.kind === 'revive')).toBe(true));
  expect(log).toContain('the master did not accept REVIVE');
  await made.stop();
});

it('handles the reason of a call that the master rejects', async () => {
  for (const [status, telling] of [
    [400, 'nothing'],
    [503, 'all'],
    [undefined, 'all'],
  ] as const) {
    const { made, log, state } = runner({
      send: async ({ type }) => {
        if (type === 'UPDATE_FRAMEWORK') throw new MesosCallError('not like that', status);
      },
      describe: (before, event) => [noticeFor(before, event)?.text ?? event.type],
      publish: (texts) => void log.push(...texts.map(String)),
    });
    const { framework_id } = SUBSCRIBED.event.subscribed;
    const master_info = { id: 'm', ip: 0, port: 5050, version: '1.11.0' };
    await made.submit({
      type: 'mesos',
      event: { type: 'SUBSCRIBED', subscribed: { framework_id, master_info } },
    });
    await made.submit(start(app({ constraints: [['rack', 'LIKE', 'a']] })));
    const offer = {
      id: { value: 'o' },
      framework_id,
      agent_id: { value: 'S' },
      hostname: 'h',
      resources: [{ name: 'mem', type: 'SCALAR' as const, scalar: { value: 100 } }],
    };
    await made.submit({ type: 'mesos', event: { type: 'OFFERS', offers: { offers: [offer] } } });
    await vi.waitFor(() => {
      expect(state.constraints.sending).toBe(telling);
      expect(log).toContain('the master did not accept UPDATE_FRAMEWORK');
      expect(log.some((line) => line.includes('it offers everything: not like that'))).toBe(
        telling === 'nothing',
      );
    });
    await made.stop();
  }
});

it('wakes up when a timer is due', async () => {
  vi.useFakeTimers();
  const { made, log } = runner();
  await made.submit(SUBSCRIBED);
  await vi.advanceTimersByTimeAsync(14_999);
  expect(log).not.toContain('call RECONCILE, 1 stored');
  await vi.advanceTimersByTimeAsync(2);
  expect(log).toContain('call RECONCILE, 1 stored');
  await made.stop();
  await vi.advanceTimersByTimeAsync(700_000);
  expect(log.filter((line) => line.startsWith('call'))).toHaveLength(1);
});

it('takes snapshots when they are due', async () => {
  const disk: StoredEvent[] = [];
  const { made } = runner({ store: createMemoryStore(disk, 3) });
  await made.submit(start(app()));
  await made.submit(scale('/multidis', 5));
  await made.submit(scale('/multidis', 6));
  await made.read(() => {});
  expect(disk.map(({ type }) => type)).toEqual(['counters_restored', 'app_restored', 'deployment_restored']);
  await made.stop();
});

it('goes on while a snapshot is written', async () => {
  const store = createMemoryStore([], 3);
  const { promise: written, resolve: finish } = Promise.withResolvers<void>();
  let listed: StoredEvent[] = [];
  store.snapshot = async (events) => {
    await written;
    listed = [...events];
  };
  const { made, log } = runner({ store });
  await made.submit(start(app()));
  await made.submit(scale('/multidis', 5));
  await made.submit(stop('/multidis'));
  expect(await made.read((state) => state.apps.size)).toBe(0);
  finish();
  await vi.waitFor(() => expect(listed.map(({ type }) => type)).toContain('app_restored'));
  await made.stop();
  expect(log.filter((line) => line.startsWith('fatal'))).toEqual([]);
});

it('leaves a snapshot unfinished when it stops', async () => {
  const store = createMemoryStore([], 3);
  const { promise: written, resolve: finish } = Promise.withResolvers<void>();
  const snapshot = store.snapshot;
  store.snapshot = async (events) => {
    await written;
    await snapshot(events);
  };
  const { made, log } = runner({ store });
  await made.submit(start(app()));
  await made.submit(scale('/multidis', 5));
  const stopped = made.stop();
  finish();
  await stopped;
  expect((await loadAll(store)).map(({ type }) => type)).not.toContain('app_restored');
  expect(log.filter((line) => line.startsWith('fatal'))).toEqual([]);
});

it('reports that a snapshot could not be written', async () => {
  const store = createMemoryStore([], 3);
  store.snapshot = () => Promise.reject(new Error('disk full'));
  const { made, log } = runner({ store });
  await made.submit(start(app()));
  await made.submit(scale('/multidis', 5));
  await vi.waitFor(() => expect(log).toContain('fatal: the state could not be stored: disk full'));
});

it('reports when the daemon must exit or open a new session', async () => {
  const { made, log } = runner();
  const error = (message: string) =>
    ({ type: 'mesos', event: { type: 'ERROR', error: { message } } }) as const;
  await made.submit(error('Framework has been removed'));
  await made.submit(error('Framework failed over'));
  expect(log.at(-1)).toMatch(/^fatal: another scheduler/);
  expect(log).toContain('new session');
  await made.stop();
});

it('answers reads only with stored state', async () => {
  let finish: (() => void) | undefined;
  const store = createMemoryStore();
  const append = store.append;
  store.append = async (events) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    await append(events);
  };
  const { made } = runner({ store });
  const order: string[] = [];
  const started = made.submit(start(app())).then(() => order.push('started'));
  await Promise.resolve();
  await Promise.resolve();
  const read = made.read((state) => order.push(`read ${state.apps.size}`));
  expect(order).toEqual([]);
  finish?.();
  await Promise.all([started, read]);
  expect(order).toEqual(['started', 'read 1']);
  await made.stop();
});
