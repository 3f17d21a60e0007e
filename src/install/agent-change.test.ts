import { describe, expect, test } from 'vitest';
import { bareFacts, clusterOf, hostOf, planInput } from '../../test/install/hosts.ts';
import { applyToFacts } from '../../test/install/model-host.ts';
import type { ClusterHost, MesosSource } from '../cluster/cluster.ts';
import { detectedResource, resourceCovers } from './agent-resources.ts';
import type { Facts } from './facts.ts';
import type { HostPlan } from './plan.ts';
import { type PlanInput, planCluster } from './plan-cluster.ts';

const ROLES: ClusterHost['roles'] = ['master', 'agent'];
const BEFORE: Partial<ClusterHost> = {
  roles: ROLES,
  attributes: { rack: 'a' },
  resources: { cpus: '4', ports: '[31000-32000]' },
};
const sources: Record<string, MesosSource> = {
  'a wrapper': {
    kind: 'package',
    from: { file: '/x/aventer-mesos_1.11.0_amd64.deb' },
    sha256: 'cd'.repeat(32),
  },
  'units of ours': { kind: 'preinstalled' },
};

describe.each(Object.entries(sources))('with %s, an agent that runs', (_name, mesos) => {
  const of = (host: Partial<ClusterHost>) => clusterOf([hostOf('h1', { ...BEFORE, ...host })], { mesos });
  const plan = (host: Partial<ClusterHost>, facts: Facts, more: Partial<PlanInput> = {}): HostPlan => {
    const [own] = planCluster(planInput(of(host), new Map([['h1', facts]]), more)).hosts;
    if (own === undefined) throw new Error('no plan');
    return own;
  };
  const bare = bareFacts('10.0.0.1');
  const running = ((): Facts => {
    const facts = applyToFacts(bare, plan({}, bare, { start: true }));
    return { ...facts, agent: { ...facts.agent, tasks: 3 } };
  })();
  const actions = (host: Partial<ClusterHost>, facts = running) =>
    plan(host, facts).items.map(({ action, id }) => `${action} ${id}`);

  test('gets another attribute by a restart of its service only', () => {
    const items = actions({ attributes: { rack: 'a', zone: 'z' } });
    expect(items.at(-1)).toBe('restart service:mesos-agent');
    expect(items.filter((one) => one.includes('service:'))).toEqual(['restart service:mesos-agent']);
    expect(items.length).toBeLessThanOrEqual(3);
  });

  test.each([
    ['an attribute changes', { attributes: { rack: 'b' } }, 'the attribute rack changes from a to b'],
    ['an attribute is removed', { attributes: {} }, 'the attribute rack is removed'],
    ['it gets fewer processors', { resources: { cpus: '2', ports: '[31000-32000]' } }, 'the resource cpus'],
    ['it gets fewer ports', { resources: { cpus: '4', ports: '[31000-31999]' } }, 'the resource ports'],
    ['it gets another name', { hostname: 'other' }, 'the hostname changes'],
    ['it gets another port', { agentFlags: { port: '6051' } }, 'the port changes'],
    [
      'it gets a limit of its disk',
      { resources: { ...BEFORE.resources, disk: '99' } },
      'the resource disk may',
    ],
  ] as const)('is replaced when %s: its tasks end', (_what, host, why) => {
    const items = plan(host, running).items;
    const replaced = items.find(({ action }) => action === 'replace-agent');
    expect(replaced?.endsTasks).toBe(3);
    expect(replaced?.reason).toContain(why);
    expect(items.map(({ action, id }) => `${action} ${id}`)).not.toContain('restart service:mesos-agent');
    // Removed before the first file changes, started after the last.
    const inputs = replaced?.resource?.kind === 'service' ? replaced.resource.restartOn : [];
    const first = items.findIndex(({ id }) => inputs.includes(id) || id.includes('/mesos-agent/'));
    expect(items.findIndex(({ action }) => action === 'replace-agent')).toBeLessThan(first);
    expect(items.filter(({ id }) => id === 'service:mesos-agent').at(-1)?.action).toBe('start');
  });

  test.each([
    ['more processors', { resources: { cpus: '8', ports: '[31000-32000]' } }],
    ['more ports', { resources: { cpus: '4', ports: '[30000-31500,31501-33000]' } }],
    ['a resource Mesos never finds by itself', { resources: { ...BEFORE.resources, licenses: '{a,b}' } }],
    ['no word of processors, of which it has as many', { resources: { ports: '[31000-32000]' } }],
    ['another flag', { agentFlags: { executor_shutdown_grace_period: '20secs' } }],
  ] as const)('stays itself with %s', (_what, host) => {
    expect(actions(host).filter((one) => one.includes('service:'))).toEqual(['restart service:mesos-agent']);
  });

  test('is only restarted when its files were edited and it still runs with the old ones', () => {
    const [path, text] =
      mesos.kind === 'package'
        ? ['/etc/mesos-agent/attributes/rack', 'b\n']
        : ['/etc/default/mesos-agent', 'MESOS_WORK_DIR="/var/lib/mesos/agent"\nMESOS_ATTRIBUTES="rack:b"\n'];
    const before = running.files[path];
    if (before === undefined) throw new Error(`${path} is missing`);
    const edited = { ...running, files: { ...running.files, [path]: { ...before, text, sha256: 'other' } } };
    expect(actions({}, edited)).toEqual([`change file:${path}`, 'restart service:mesos-agent']);
  });

  test('is compared with the flags that it runs with, wherever they were set', () => {
    const flags = {
      work_dir: '/var/lib/mesos/agent',
      hostname: '10.0.0.1',
      attributes: 'rack:a;',
      resources: 'cpus:4; ports:[31000-32000]',
    };
    const restarts = (changes: Record<string, string>) => {
      const files = Object.fromEntries(
        Object.entries(running.files).filter(([path]) => !/mesos-agent/.test(path)),
      );
      // mesosup has not started it.
      const agent = { ...running.services['mesos-agent'], inputs: '' } as Facts['services'][string];
      const services = { ...running.services, 'mesos-agent': agent };
      const items = actions({}, { ...running, files, services, agentFlags: { ...flags, ...changes } });
      return items.filter((one) => one.includes('service:mesos-agent'));
    };
    expect(restarts({})).toEqual(['restart service:mesos-agent']);
    expect(restarts({ port: '5051' })).toEqual(['restart service:mesos-agent']);
    const replaced = ['replace-agent service:mesos-agent', 'start service:mesos-agent'];
    expect(restarts({ attributes: 'rack:b' })).toEqual(replaced);
    expect(restarts({ port: '6051' })).toEqual(replaced);
    expect(restarts({ resources: '[{"name":"cpus"}]' })).toEqual(replaced);
  });

  test('is not replaced if it never registered', () => {
    const fresh = { ...running, agent: { ...running.agent, id: '' } };
    expect(actions({ attributes: { rack: 'b' } }, fresh)).not.toContain('replace-agent service:mesos-agent');
  });

  test('is replaced and stays stopped when the cluster is stopped', () => {
    const stopped = applyToFacts(running, plan({}, running, { command: 'stop' }));
    const items = actions({ attributes: { rack: 'b' } }, stopped);
    expect(items[0]).toBe('replace-agent service:mesos-agent');
    expect(items.some((one) => one.startsWith('start'))).toBe(false);
  });

  test('an interrupted replacement is completed, without a second one', () => {
    const next = plan({ attributes: { rack: 'b' } }, running);
    for (let done = 1; done < next.items.length; done += 1) {
      const items = actions({ attributes: { rack: 'b' } }, applyToFacts(running, next, done));
      expect(items.some((one) => one.startsWith('replace-agent'))).toBe(false);
      expect(items.at(-1)).toBe('start service:mesos-agent');
    }
  });
});

test('compares amounts of resources as Mesos does', () => {
  expect(resourceCovers('4', '4.0')).toBe(true);
  expect(resourceCovers('3.9', '4')).toBe(false);
  expect(resourceCovers('[1-5,6-9]', '[4-7]')).toBe(true);
  expect(resourceCovers('[1-5,7-9]', '[4-7]')).toBe(false);
  expect(resourceCovers('{a, b}', '{b}')).toBe(true);
  expect(resourceCovers('{a}', '{a,b}')).toBe(false);
  expect(resourceCovers('4', '[1-2]')).toBe(false);
  expect(resourceCovers('[x]', '[1-2]')).toBe(false);
});

test('knows the amounts that Mesos finds by itself', () => {
  const facts = bareFacts('10.0.0.1', { cpus: 3, memoryBytes: 4096 * 2 ** 20 });
  expect(detectedResource('cpus', facts)).toBe('3');
  expect(detectedResource('mem', facts)).toBe('3072');
  expect(detectedResource('mem', { ...facts, memoryBytes: 1024 * 2 ** 20 })).toBe('512');
  expect(detectedResource('disk', facts)).toBeUndefined();
});
