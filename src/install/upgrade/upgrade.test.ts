import { describe, expect, test } from 'vitest';
import {
  aptFacts,
  bareFacts,
  bareHosts,
  clusterOf,
  fileFacts,
  hostOf,
  payload,
  planInput,
  sha256,
} from '../../../test/install/hosts.ts';
import { applyToFacts } from '../../../test/install/model-host.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { Plan } from '../plan.ts';
import { planCluster } from '../plan-cluster.ts';
import type { MasterAgent } from '../script/agents-script.ts';
import { AGENT_RETURNS, FORMER_PACKAGES } from '../script/places.ts';
import type { FactsByHost } from '../topology.ts';
import { DOCKER_CONFIG } from '../wanted/docker.ts';
import { wantedResources } from '../wanted/wanted.ts';
import { unusedPayloads } from './payloads.ts';
import { missingMembers, nextWave, type Pace, quorumRisk, stagesOf, upgradeOrder } from './stages.ts';
import { checkChoice, type UpgradeChoice, upgradeRequest, versionsOf, withTargets } from './targets.ts';
import { refuseUndrained, upgradePlan } from './upgrade-plan.ts';

const three = clusterOf(['a', 'b', 'c'].map((name) => hostOf(name)));
const VERSIONS = { zookeeper: '3.8.0', 'aventer-mesos': '1.11.0-1', 'docker.io': '20.10.24' } as const;

/** An installed and started cluster: `a` leads ZooKeeper, `b` the masters, `c` the schedulers. */
function installed(cluster: Cluster): Map<string, Facts> {
  const bare = bareHosts(cluster);
  const { hosts } = planCluster(planInput(cluster, bare, { start: true }));
  return new Map(
    [...bare].map(([name, own], at) => {
      const plan = hosts.find(({ host }) => host === name);
      const made = plan ? applyToFacts(own, plan) : own;
      const packages = Object.fromEntries(
        Object.entries(made.packages).map(([key, one]) => {
          const version = VERSIONS[key as keyof typeof VERSIONS] ?? one.version;
          return [key, { ...one, version }];
        }),
      );
      const leads = (index: number) => at === index;
      const facts: Facts = {
        ...made,
        packages,
        zookeeper: { answers: true, mode: leads(0) ? 'leader' : 'follower', version: '3.8.0' },
        master: { ...made.master, answers: true, elected: leads(1), recovered: leads(1), agentsConnected: 3 },
        scheduler: { ...made.scheduler, answers: true, leads: leads(2), subscribed: leads(2) },
        agent: { ...made.agent, answers: true, registered: true, id: `S${at}`, tasks: 2, executors: 1 },
        docker: { version: '20.10.24', running: true },
        mesosup: { ...made.mesosup, current: '1.2.3', payloads: ['1.2.3'], started: true },
      };
      return [name, facts] as const;
    }),
  );
}

const agents: MasterAgent[] = [0, 1, 2].map((at) => ({ id: `S${at}`, hostname: `h${at}`, duty: 'active' }));

interface Options extends UpgradeChoice {
  readonly version?: string;
  readonly agents?: readonly MasterAgent[];
}

/** The plan with what apt offers on every host. */
function planned(
  facts: FactsByHost,
  candidates: Readonly<Record<string, string>>,
  options: Options = {},
  cluster = three,
): { plan: Plan; facts: FactsByHost } {
  const offered = new Map([...facts].map(([name, own]) => [name, { ...own, apt: aptFacts({ candidates }) }]));
  const input = planInput(cluster, offered, {
    payload: { ...payload, version: options.version ?? '1.2.3' },
    adjust: (host, wanted) => {
      const own = offered.get(host.name) as Facts;
      return withTargets(wanted, own, upgradeRequest(cluster, own, wanted, options));
    },
  });
  const plan = upgradePlan({
    cluster,
    plan: planCluster(input),
    facts: offered,
    component: options.component,
    agents: options.agents ?? agents,
    sha256,
  });
  return { plan, facts: offered };
}

const lines = (plan: Plan, host = 'a') =>
  plan.hosts.find((one) => one.host === host)?.items.map(({ action, id }) => `${action} ${id}`) ?? [];

const order = ({ plan, facts }: { plan: Plan; facts: FactsByHost }, pace: Pace = {}, cluster = three) =>
  upgradeOrder(cluster, plan, facts, pace).map(({ stage, hosts }) => `${stage} ${hosts.join('+')}`);

describe('a plan', () => {
  test('is empty if nothing is newer', () => {
    const { plan } = planned(installed(three), VERSIONS);
    expect(plan.hosts.flatMap(({ items }) => items)).toEqual([]);
  });

  test('upgrades packages and restarts their services', () => {
    const next = { zookeeper: '3.8.1', 'aventer-mesos': '1.11.0-2', 'docker.io': '20.10.25' };
    expect(lines(planned(installed(three), next).plan)).toEqual([
      'upgrade package:zookeeper',
      'upgrade package:docker.io',
      'upgrade package:aventer-mesos',
      'restart service:zookeeper',
      'restart service:docker',
      'restart service:mesos-master',
      'restart service:mesos-agent',
    ]);
  });

  test('contains one component only, if the user chooses one', () => {
    const next = { zookeeper: '3.8.1', 'aventer-mesos': '1.11.0-2', 'docker.io': '20.10.25' };
    const of = (component: 'zookeeper' | 'mesos' | 'docker' | 'mesosup') =>
      lines(planned(installed(three), next, { component, version: '1.3.0' }).plan);
    expect(of('zookeeper')).toEqual(['upgrade package:zookeeper', 'restart service:zookeeper']);
    expect(of('docker')).toEqual(['upgrade package:docker.io', 'restart service:docker']);
    expect(of('mesosup')).toEqual([
      'create payload:1.3.0',
      'change link:/opt/mesosup/current',
      'restart service:mesosup-scheduler',
    ]);
  });

  test('goes back to an older version', () => {
    const choice = { component: 'mesos', to: '1.10.0' } as const;
    const { plan } = planned(installed(three), { 'aventer-mesos': '1.10.0' }, choice);
    expect(plan.hosts[0]?.items[0]?.title).toBe('package aventer-mesos: 1.11.0-1 → 1.10.0');
  });

  test('after it was applied without its restarts, restarts the services', () => {
    const { plan, facts } = planned(installed(three), { zookeeper: '3.8.1' });
    const [host] = plan.hosts;
    const own = facts.get('a') as Facts;
    const broken = { ...own, services: { ...own.services } };
    const zookeeper = broken.services.zookeeper;
    if (!host || !zookeeper) throw new Error('no plan');
    // As `forget_starts` leaves it.
    broken.services.zookeeper = { ...zookeeper, inputs: '' };
    broken.packages = { ...own.packages, zookeeper: { version: '3.8.1', status: 'install ok installed' } };
    const again = planned(new Map([...facts, ['a', broken]]), { zookeeper: '3.8.1' });
    expect(lines(again.plan)).toEqual(['restart service:zookeeper']);
  });
});

describe('Docker', () => {
  const drained = (plan: Plan) => plan.hosts[0]?.items.filter(({ action }) => action.endsWith('drain')) ?? [];

  test('is upgraded in place to a patch release', () => {
    expect(drained(planned(installed(three), { 'docker.io': '20.10.99' }).plan)).toEqual([]);
  });

  test('that ends containers is upgraded while the agent is drained', () => {
    const { plan } = planned(installed(three), { 'docker.io': '5:23.0.1' });
    expect(lines(plan)).toEqual([
      'drain service:mesos-agent',
      'upgrade package:docker.io',
      'restart service:docker',
      'undrain service:mesos-agent',
    ]);
    expect(drained(plan)[0]).toMatchObject({
      returns: true,
      reason: 'because Docker 23.0 does not keep the containers of Docker 20.10',
    });
  });

  test('that ends containers is not upgraded while no master knows the agent, which can not be drained then', () => {
    const refusing = (
      candidate: string,
      known: readonly MasterAgent[] | undefined,
      tasks: number | null = 2,
    ) => {
      const facts = new Map(
        [...installed(three)].map(([name, own]) => [
          name,
          { ...own, agent: { ...own.agent, tasks, answers: tasks !== null } },
        ]),
      );
      const made = planned(facts, { 'docker.io': candidate }, { agents: known ?? [] });
      return () => refuseUndrained({ ...made, agents: known });
    };
    expect(refusing('5:23.0.1', undefined)).toThrow('a: Docker 23.0 does not keep');
    expect(refusing('5:23.0.1', agents.slice(0, 2))).toThrow(/^c: .* no leading master knows the agent$/);
    expect(refusing('5:23.0.1', agents)).not.toThrow();
    expect(refusing('20.10.99', undefined)).not.toThrow();
    // Nothing can be lost.
    expect(refusing('5:23.0.1', undefined, 0)).not.toThrow();
    expect(refusing('5:23.0.1', undefined, null)).not.toThrow();
  });

  test('without live-restore ends containers', () => {
    const facts = installed(three);
    const own = facts.get('a') as Facts;
    const theirs = { ...own, files: { ...own.files, [DOCKER_CONFIG]: fileFacts('{"live-restore": false}') } };
    const { plan } = planned(new Map([...facts, ['a', theirs]]), { 'docker.io': '20.10.25' });
    expect(drained(plan)).toHaveLength(2);
  });

  test('leaves an agent out of service that its owner has drained', () => {
    const some: MasterAgent[] = agents.map((one) => ({ ...one, duty: 'deactivated' }));
    const { plan } = planned(installed(three), { 'docker.io': '23.0.1' }, { agents: some });
    expect(drained(plan).map(({ action, returns }) => [action, returns])).toEqual([['drain', undefined]]);
  });

  test('of an interrupted upgrade puts the agent back', () => {
    const facts = installed(three);
    const own = facts.get('a') as Facts;
    const marked = { ...own, files: { ...own.files, [AGENT_RETURNS]: fileFacts('S0\n') } };
    const some: MasterAgent[] = agents.map((one) => ({ ...one, duty: 'drained' }));
    const { plan } = planned(new Map([...facts, ['a', marked]]), {}, { agents: some });
    expect(lines(plan)).toEqual(['undrain service:mesos-agent']);
  });
});

describe('the order', () => {
  const next = { zookeeper: '3.8.1', 'aventer-mesos': '1.11.0-2', 'docker.io': '20.10.25' };

  test('is ZooKeeper, masters, schedulers, Docker; each leader is the last', () => {
    expect(order(planned(installed(three), next, { version: '1.3.0' }))).toEqual([
      'prepare a+b+c',
      ...['zookeeper b', 'zookeeper c', 'zookeeper a'],
      ...['masters a', 'masters c', 'masters b'],
      ...['schedulers a', 'schedulers b', 'schedulers c'],
      ...['docker a', 'docker b', 'docker c'],
    ]);
  });

  test('begins with all stages of the first host', () => {
    const found = order(planned(installed(three), { zookeeper: '3.8.1', 'docker.io': '20.10.25' }), {
      first: 'a',
    });
    expect(found).toEqual(['zookeeper a', 'docker a', 'zookeeper b', 'zookeeper c', 'docker b', 'docker c']);
  });

  test('upgrades agents in batches', () => {
    const names = Array.from({ length: 9 }, (_, at) => `w${at}`);
    const cluster = clusterOf([...three.hosts, ...names.map((name) => hostOf(name, { roles: ['agent'] }))]);
    const made = planned(installed(cluster), { 'aventer-mesos': '1.11.0-2' }, {}, cluster);
    const ofAgents = (pace: Pace) => order(made, pace, cluster).filter((line) => line.startsWith('agents'));
    expect(ofAgents({})).toEqual(['agents w0+w1+w2', 'agents w3+w4+w5', 'agents w6+w7+w8']);
    expect(ofAgents({ batch: 4 })).toEqual(['agents w0+w1+w2+w3', 'agents w4+w5+w6+w7', 'agents w8']);
  });

  test('follows a leader that has changed', () => {
    const { plan, facts } = planned(installed(three), { zookeeper: '3.8.1' });
    const [stage] = stagesOf(three, plan, {});
    const mode = (name: string, is: string): [string, Facts] => {
      const own = facts.get(name) as Facts;
      return [name, { ...own, zookeeper: { ...own.zookeeper, mode: is } }];
    };
    const now = new Map([...facts, mode('a', 'follower'), mode('b', 'leader')]);
    if (!stage) throw new Error('no stage');
    expect(nextWave(three, stage, facts).hosts).toEqual(['b']);
    expect(nextWave(three, stage, now).hosts).toEqual(['a']);
  });
});

describe('between two waves', () => {
  const facts = installed(three);
  const changed = (name: string, change: (own: Facts) => Partial<Facts>) => {
    const own = facts.get(name) as Facts;
    return new Map([...facts, [name, { ...own, ...change(own) }] as const]);
  };

  test('nothing is missing in a healthy cluster', () => {
    const back = three.hosts.flatMap(({ name, roles }) => roles.map((role) => ({ host: name, role })));
    expect(missingMembers(three, facts, facts, back)).toEqual([]);
  });

  test('a ZooKeeper without a quorum, a master that has not recovered and lost agents are awaited', () => {
    const zookeeper = changed('b', (own) => ({ zookeeper: { ...own.zookeeper, mode: '' } }));
    expect(missingMembers(three, facts, zookeeper, [{ host: 'b', role: 'zookeeper' }])).toEqual([
      'b: zookeeper answers, but has no quorum',
    ]);
    const follower = changed('a', (own) => ({ master: { ...own.master, recovered: true } }));
    expect(missingMembers(three, follower, facts, [{ host: 'a', role: 'master' }])).toEqual([
      'a: its copy of the registry is not recovered yet',
    ]);
    const unled = changed('b', (own) => ({ master: { ...own.master, elected: false } }));
    expect(missingMembers(three, facts, unled, [])).toContain('no Mesos master leads');
    const fewer = changed('b', (own) => ({ master: { ...own.master, agentsConnected: 1 } }));
    expect(missingMembers(three, facts, fewer, [])).toEqual([
      '2 agents are not connected to the new master yet',
    ]);
    const docker = changed('a', () => ({ docker: { version: '', running: false } }));
    expect(missingMembers(three, facts, docker, [{ host: 'a', role: 'docker' }])).toEqual([
      'a: docker not running',
    ]);
    const silent = changed('c', (own) => ({ scheduler: { ...own.scheduler, subscribed: false } }));
    expect(missingMembers(three, facts, silent, [])).toEqual([
      'c: its scheduler leads, and is not subscribed yet',
    ]);
  });

  test('a member is not restarted if the others would have no quorum', () => {
    const wave = { hosts: ['a'], back: [{ host: 'a', role: 'zookeeper' } as const] };
    expect(quorumRisk(three, facts, wave)).toBeUndefined();
    const down = new Map(facts);
    down.delete('c');
    expect(quorumRisk(three, down, wave)).toBe('ZooKeeper would lose the quorum: c does not work');
    expect(quorumRisk(three, down, { hosts: ['a'], back: [] })).toBeUndefined();
    down.delete('b');
    expect(quorumRisk(three, down, wave)).toBeUndefined();
  });
});

test('a version that the spec contradicts is refused, and so is a component without packages', () => {
  const pinned = clusterOf([hostOf('a')], { docker: { kind: 'distribution', version: '20.10' } });
  expect(() => checkChoice(pinned, { component: 'docker', to: '20.10.25' })).not.toThrow();
  expect(() => checkChoice(pinned, { component: 'docker', to: '23.0.1' })).toThrow(
    '--to is "23.0.1", but cluster.yaml sets the version 20.10 of docker',
  );
  const theirs = clusterOf([hostOf('a')], { mesos: { kind: 'preinstalled' } });
  expect(() => checkChoice(theirs, { component: 'mesos' })).toThrow('mesos is preinstalled');
  const from = { kind: 'package', from: { file: '/m_1_amd64.deb' }, sha256: '' } as const;
  expect(() =>
    checkChoice(clusterOf([hostOf('a')], { mesos: from }), { component: 'mesos', to: '2' }),
  ).toThrow('cluster.yaml names a package file for mesos');
});

test('versions name what apt has, and what was there before', () => {
  const facts = installed(three);
  const own = facts.get('a') as Facts;
  const text = 'zookeeper 3.6.0\nzookeeper 3.7.0\n';
  const after: Facts = {
    ...own,
    files: { ...own.files, [FORMER_PACKAGES]: fileFacts(text) },
    apt: aptFacts({ candidates: { zookeeper: '3.8.1' } }),
  };
  const host = three.hosts[0] ?? hostOf('a');
  const wanted = wantedResources({ ...planInput(three, facts), host, running: true });
  const request = upgradeRequest(three, after, wanted, {});
  expect(
    versionsOf(three, host, after, request, '1.3.0').map(({ name, from, to, former }) => [
      name,
      from,
      to,
      former,
    ]),
  ).toEqual([
    ['mesosup', '1.2.3', '1.3.0', undefined],
    ['zookeeper', '3.8.0', '3.8.1', '3.7.0'],
    ['docker.io', '20.10.24', '20.10.24', undefined],
    ['aventer-mesos', '1.11.0-1', '1.11.0-1', undefined],
  ]);
});

test('keeps the payload in use, the former one, another one, and those of running programs and releases', () => {
  const { mesosup } = bareFacts('10.0.0.1');
  const payloads = ['5', '4', '3', '2', '1', '0'];
  const facts = { mesosup: { ...mesosup, current: '4', payloads, released: ['1'], inUse: ['2', 'current'] } };
  expect(unusedPayloads(facts, '5').map(({ id }) => id)).toEqual(['payload:0']);
  expect(unusedPayloads({ mesosup: { ...facts.mesosup, current: '5' } }, '5').map(({ id }) => id)).toEqual([
    'payload:0',
  ]);
});
