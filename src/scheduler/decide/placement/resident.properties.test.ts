/** Random lives of an app with persistent volumes on a simulated cluster. */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { appV2, scale, start, stop, update } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import type { AgentSpec } from '../../../simulator/agent.ts';

const AGENTS: AgentSpec[] = ['S0', 'S1', 'S2'].map((id) => ({
  id,
  host: `${id}.example`,
  cpus: 4,
  mem: 4096,
  ports: 10,
}));
const SETTINGS = {
  role: 'databases',
  framework: { user: 'root', name: 'mesosup', roles: ['databases'], principal: 'me' },
};
const VOLUME = { containerPath: 'data', mode: 'RW', persistent: { size: 64 } };
const APP = { id: '/db', cpus: 1, mem: 128, container: { docker: { image: 'redis' }, volumes: [VOLUME] } };

type Act =
  | { act: 'rest' | 'offer' | 'deliver' | 'restart' | 'update' | 'time' | 'fail over' }
  | { act: 'end' | 'kill' | 'wipe' | 'lose' | 'bring back'; which: number }
  | { act: 'scale'; to: number }
  | { act: 'crash'; calls: number }
  | { act: 'refuse'; what: string | undefined };

const which = fc.nat({ max: 3 });
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom<Act>(
    { act: 'rest' },
    { act: 'offer' },
    { act: 'deliver' },
    { act: 'restart' },
    { act: 'update' },
    { act: 'time' },
    { act: 'fail over' },
  ),
  fc
    .constantFrom('end' as const, 'kill' as const, 'wipe' as const, 'lose' as const, 'bring back' as const)
    .chain((name) => which.map((n): Act => ({ act: name, which: n }))),
  fc.nat({ max: 4 }).map((to): Act => ({ act: 'scale', to })),
  fc.nat({ max: 2 }).map((calls): Act => ({ act: 'crash', calls })),
  fc
    .constantFrom('RESERVE', 'CREATE', 'DESTROY', 'UNRESERVE', undefined)
    .map((what): Act => ({ act: 'refuse', what })),
);

/** Performs an act. The simulated cluster throws if resources or volumes are used twice. */
function perform(one: Harness, step: Act, refuse: (what: string | undefined) => void): void {
  const { mesos, state } = one;
  const tasks = [...state.tasks.keys()];
  switch (step.act) {
    case 'rest':
      one.rest();
      return;
    case 'offer':
      mesos.offer();
      return;
    case 'deliver':
      one.deliver();
      return;
    case 'crash':
      if (!one.deliver({ stored: true, calls: step.calls })) one.restart();
      one.connect();
      return;
    case 'restart':
      one.restart();
      one.connect();
      return;
    case 'fail over':
      mesos.failOver();
      one.input({ type: 'disconnected', reason: 'test' });
      one.connect();
      for (const id of mesos.awaited) mesos.bringBack(id);
      return;
    case 'time':
      one.pass(25_000);
      return;
    case 'update':
      one.input(update('/db', { env: { A: String(one.now) } }, true));
      return;
    case 'scale':
      one.input({ ...scale('/db', step.to), force: true });
      return;
    case 'end':
      mesos.advance(tasks[step.which] ?? '', 'TASK_FAILED');
      return;
    case 'kill':
    case 'wipe': {
      const suspended = [...state.reservations.values()].flatMap(({ lastTask }) => lastTask?.id ?? []);
      const taskId = [...tasks, ...suspended][step.which] ?? '';
      const filter = { appId: '/db', taskId };
      one.input({ type: 'kill_tasks', filter, scale: false, wipe: step.act === 'wipe' });
      return;
    }
    case 'lose':
      mesos.lose(`S${step.which}`);
      return;
    case 'bring back':
      if (mesos.unreachable.has(`S${step.which}`)) mesos.bringBack(`S${step.which}`);
      return;
    case 'refuse':
      refuse(step.what);
  }
}

it('no volume is destroyed unless its instance was wiped, none is used twice, and no reservation leaks', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.array(act, { maxLength: 40 }), (instances, acts) => {
      let refused: string | undefined;
      const one: Harness = new Harness(AGENTS, SETTINGS, {
        refuseOperation: (operation) => {
          for (const { disk } of operation.type === 'DESTROY' ? operation.destroy.volumes : []) {
            const volume = disk?.persistence?.id;
            const owner = [...one.state.reservations.values()].find(({ volumes }) =>
              volumes.some(({ persistenceId }) => persistenceId === volume),
            );
            if (!owner?.leaving) throw new Error(`${volume} is destroyed although its instance lives`);
          }
          return operation.type === refused ? 'not authorized' : undefined;
        },
      });
      one.connect();
      one.deliverAll();
      one.input(start(appV2({ ...APP, instances })));
      for (const step of acts) {
        perform(one, step, (what) => {
          refused = what;
        });
      }
      refused = undefined;
      for (const id of [...one.mesos.unreachable]) one.mesos.bringBack(id);
      const settle = () => {
        for (let n = 0; n < 6; n += 1) {
          one.rest();
          one.pass(30_000);
        }
        one.rest();
      };
      settle();
      const record = one.state.apps.get('/db');
      expect(record?.tasks.size).toBe(record?.app.instances);
      one.input({ ...stop('/db'), force: true });
      settle();
      const left = [...one.mesos.agents.values()].flatMap((agent) => agent.reserved);
      expect(left).toEqual([]);
      expect(one.mesos.live()).toEqual([]);
      expect([...one.state.reservations.keys()]).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
