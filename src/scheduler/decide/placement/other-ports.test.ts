import { describe, expect, it } from 'vitest';
import { app, start } from '../../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../../test/scheduler/harness.ts';
import { launchedTasks } from '../../../mesos/operations.ts';
import type { AgentSpec } from '../../../simulator/agent.ts';

const AGENT: AgentSpec = { id: 'S0', host: 'a.example', cpus: 4, mem: 4096, ports: 10 };

function portsOf({ mesos }: Harness) {
  const tasks = mesos.calls.flatMap((call) =>
    call.type === 'ACCEPT' ? launchedTasks(call.accept.operations) : [],
  );
  return tasks.map(({ resources }) =>
    resources.find(({ name }) => name === 'ports')?.ranges?.range.map(({ begin, end }) => [begin, end]),
  );
}

describe('the ports of an app whose tasks keep failing', () => {
  const failing = (agent: AgentSpec, ports: number[]) => {
    const harness = new Harness([agent]);
    harness.connect();
    harness.input(start(app({ instances: 1, ports })));
    harness.deliverAll();
    harness.mesos.offer();
    harness.deliverAll();
    for (let times = 0; times < 3; times += 1) {
      const [task] = harness.mesos.tasks.keys();
      harness.mesos.advance(task ?? '', 'TASK_FAILED', { message: 'the port is in use' });
      harness.deliverAll();
      harness.pass(300_000);
      harness.mesos.offer();
      harness.deliverAll();
    }
    return portsOf(harness);
  };

  it('change each time, so that a port held outside Mesos does not block the app forever', () => {
    expect(failing({ ...AGENT, ports: 3 }, [0])).toEqual([
      [[31000, 31000]],
      [[31001, 31001]],
      [[31002, 31002]],
      [[31000, 31000]],
    ]);
    expect(failing({ ...AGENT, ports: 3 }, [0, 0])).toEqual([
      [[31000, 31001]],
      [[31001, 31002]],
      [
        [31000, 31000],
        [31002, 31002],
      ],
      [[31000, 31001]],
    ]);
  });

  it('stay the same if there are no others', () => {
    expect(new Set(failing({ ...AGENT, ports: 1 }, [0]).map(String))).toEqual(new Set(['31000,31000']));
  });
});
