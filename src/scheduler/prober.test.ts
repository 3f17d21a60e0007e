import { describe, expect, it } from 'vitest';
import { appV2, start } from '../../test/scheduler/fixtures.ts';
import { Harness } from '../../test/scheduler/harness.ts';
import { AGENTS } from '../../test/scheduler/running.ts';
import { type ProbeNotice, probeNotice, probeNotices } from './prober.ts';

const IMAGE = { type: 'DOCKER', docker: { image: 'i' } };
const healthChecks = [{ protocol: 'HTTP' }];

function running(fields: Record<string, unknown>): Harness {
  const harness = new Harness(AGENTS);
  harness.input(start(appV2({ cmd: undefined, healthChecks, ...fields })));
  harness.rest();
  return harness;
}

const inNetwork = (portMappings: unknown) =>
  running({ container: { ...IMAGE, portMappings }, networks: [{ mode: 'container', name: 'n' }] });

const places = ({ probes }: ProbeNotice) => probes.map(({ host, check }) => [host, check.http?.port]);

function addressed(harness: Harness, ...addresses: string[]) {
  const [task] = harness.state.tasks.values();
  const event = {
    type: 'task_addressed',
    taskId: task?.id ?? '',
    addresses: addresses.map((ipAddress) => ({ ipAddress, protocol: 'IPv4' as const })),
  } as const;
  const notice = probeNotice(harness.state, event);
  return notice && places(notice);
}

describe('the checks of a container with an address of its own', () => {
  it('wait for the address, also after a restart of the scheduler', () => {
    const harness = inNetwork([{ containerPort: 80 }]);
    expect([...probeNotices(harness.state)]).toEqual([]);
    expect(addressed(harness, '10.0.0.7')).toEqual([['10.0.0.7', 80]]);
    harness.restart();
    expect([...probeNotices(harness.state)]).toEqual([]);
    expect(addressed(harness, '10.0.0.8')).toEqual([['10.0.0.8', 80]]);
    expect(addressed(harness)).toEqual([[undefined, 0]]);
  });

  it('begin with TASK_RUNNING if the address came before', () => {
    const harness = inNetwork([{ containerPort: 80 }]);
    const [task] = harness.state.tasks.values();
    if (!task) throw new Error('no task');
    task.state = 'TASK_STARTING';
    expect(addressed(harness, '10.0.0.7')).toBeUndefined();
    task.addresses = [{ ipAddress: '10.0.0.7', protocol: 'IPv4' }];
    const at = harness.now;
    const notice = probeNotice(harness.state, {
      type: 'task_updated',
      taskId: task.id,
      state: 'TASK_RUNNING',
      at,
    });
    expect(notice && places(notice)).toEqual([['10.0.0.7', 80]]);
  });
});

describe('the checks of a published port', () => {
  it('need no address, and do not start again when one comes', () => {
    for (const harness of [inNetwork([{ containerPort: 80, hostPort: 0 }]), running({ cmd: 'true' })]) {
      const [task] = harness.state.tasks.values();
      const notices = [...probeNotices(harness.state)];
      expect(notices.map(places)).toEqual([[[task?.host, task?.ports[0]]]]);
      expect(addressed(harness, '10.0.0.7')).toBeUndefined();
    }
  });
});
