import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clusterOf, hostOf } from '../../../test/install/hosts.ts';
import type { Cluster, MesosFlags } from '../../cluster/cluster.ts';
import { parseSpec } from '../../cluster/spec.ts';
import { specText } from '../../cluster/spec-text.ts';
import { agentFlags, type Flags, masterFlags } from '../mesos-flags.ts';
import { type AdoptInput, adoptCluster } from './adopt-cluster.ts';
import type { AdoptedHost, AdoptedProcess } from './adopted-host.ts';

const ZK = 'zk://10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181/mesos';

function processOf(role: 'master' | 'agent', changes: Partial<AdoptedProcess> = {}): AdoptedProcess {
  const unit = `mesos-${role}.service`;
  return {
    role,
    unit,
    words: [],
    environment: {},
    files: {},
    sources: {
      [`/lib/systemd/system/${unit}`]: `[Service]\nExecStart=/usr/bin/mesos-init-wrapper ${role}\n`,
    },
    ...changes,
  };
}

function foundOn(
  address: string,
  processes: readonly AdoptedProcess[],
  changes: Partial<AdoptedHost> = {},
): AdoptedHost {
  return {
    addresses: [address],
    packages: { 'aventer-mesos': '1.11.0-0.7.1' },
    cluster: '',
    hasDocker: true,
    zookeepers: [],
    processes,
    ...changes,
  };
}

function inputOf(hosts: Readonly<Record<string, AdoptedHost>>): AdoptInput {
  return {
    name: undefined,
    ssh: undefined,
    hosts: Object.entries(hosts).map(([name, found]) => ({ block: { name }, found })),
  };
}

const MASTER = processOf('master', {
  words: [`--zk=${ZK}`, '--quorum=1', '--work_dir=/var/lib/mesos/master'],
});
const AGENT = processOf('agent', { words: [`--master=${ZK}`, '--work_dir=/var/lib/mesos/agent'] });

/** @throws Error with the errors of an adoption that fails */
function adopt(hosts: Readonly<Record<string, AdoptedHost>>) {
  const adopted = adoptCluster(inputOf(hosts));
  if ('errors' in adopted) throw new Error(adopted.errors.map(({ message }) => message).join('\n'));
  const text = specText(adopted.spec, 'schema.json');
  const read = parseSpec(text, 'cluster.yaml');
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  return { ...adopted, cluster: read.value, text };
}

function errorsOf(hosts: Readonly<Record<string, AdoptedHost>>): string[] {
  const adopted = adoptCluster(inputOf(hosts));
  return 'errors' in adopted ? adopted.errors.map(({ host, message }) => `${host}: ${message}`) : [];
}

describe('a cluster that others installed', () => {
  test('gets its roles, address, package, attributes and flags into the spec', () => {
    const { cluster, text } = adopt({
      h1: foundOn('10.0.0.1', [
        processOf('master', {
          words: [`--zk=${ZK}`, '--ip=10.0.0.1', '--cluster=prod', '--quorum=1', '--work_dir=/data'],
        }),
        processOf('agent', {
          words: [
            `--master=${ZK}`,
            '--ip=10.0.0.1',
            '--hostname=one',
            '--attributes=rack:a;ssd:true',
            '--resources=cpus:4',
            '--work_dir=/data/agent',
            '--no-strict',
          ],
          environment: { MESOS_GC_DELAY: '2days', MESOS_UNKNOWN_TO_MESOS: 'x' },
        }),
      ]),
    });
    expect(cluster).toMatchObject({
      name: 'prod',
      zookeeper: ZK,
      mesos: { kind: 'clusterd', version: '1.11.0-0.7.1' },
      docker: { kind: 'preinstalled' },
    });
    expect(cluster.hosts[0]).toMatchObject({
      roles: ['master', 'agent'],
      privateAddress: '10.0.0.1',
      hostname: 'one',
      attributes: { rack: 'a', ssd: 'true' },
      resources: { cpus: '4' },
    });
    expect(cluster.agentFlags).toMatchObject({
      work_dir: '/data/agent',
      gc_delay: '2days',
      'no-strict': '',
      launcher: '',
    });
    expect(cluster.agentFlags).not.toHaveProperty('unknown_to_mesos');
    expect(cluster.agentFlags).not.toHaveProperty('reconfiguration_policy');
    expect(cluster.masterFlags).toMatchObject({
      'no-authenticate_agents': '',
      credentials: '',
      hostname: '',
    });
    expect(parse(text)).toHaveProperty('zookeeper', ZK);
  });

  test('keeps resources that are no table as a flag', () => {
    const resources = '[{"name":"cpus",\n"type":"SCALAR","scalar":{"value":4}}]';
    const { cluster } = adopt({
      h1: foundOn('10.0.0.1', [MASTER, { ...AGENT, words: [...AGENT.words, `--resources=${resources}`] }]),
    });
    expect(cluster.agentFlags.resources).toBe('[{"name":"cpus","type":"SCALAR","scalar":{"value":4}}]');
  });

  test('keeps flags of one host apart from those of all', () => {
    const more = (word: string) => ({ ...AGENT, words: [...AGENT.words, word, '--gc_delay=1days'] });
    const { cluster } = adopt({
      h1: foundOn('10.0.0.1', [MASTER, more('--isolation=cgroups/cpu')]),
      h2: foundOn('10.0.0.2', [more('--isolation=posix/cpu')]),
    });
    expect(cluster.agentFlags.gc_delay).toBe('1days');
    expect(cluster.agentFlags).not.toHaveProperty('isolation');
    expect(cluster.hosts.map(({ agentFlags }) => agentFlags)).toEqual([
      { isolation: 'cgroups/cpu' },
      { isolation: 'posix/cpu' },
    ]);
  });

  test('has its secrets in the state, and none in the spec', () => {
    const { secrets, text } = adopt({
      h1: foundOn('10.0.0.1', [
        {
          ...MASTER,
          words: [
            ...MASTER.words.slice(1),
            '--zk=zk://user:sesame-zk@10.0.0.1:2181/mesos',
            '--credentials=/etc/c',
          ],
          files: {
            '/etc/c':
              '{"credentials":[{"principal":"marathon","secret":"sesame-1"},{"principal":"mesosup-files","secret":"x"}]}',
          },
        },
        {
          ...AGENT,
          words: [
            '--master=file:///etc/zk',
            '--work_dir=/a',
            '--credential=file:///etc/a',
            '--http_credentials=/etc/h',
          ],
          files: {
            '/etc/zk': 'zk://user:sesame-zk@10.0.0.1:2181/mesos\n',
            '/etc/a': 'node sesame-2\n',
            '/etc/h': '{"credentials":[{"principal":"operator","secret":"sesame-3-is-a-long-one"}]}',
          },
        },
      ]),
    });
    expect(secrets).toEqual({
      'zookeeper/user': 'sesame-zk',
      'master/marathon': 'sesame-1',
      'agent/node': 'sesame-2',
      operator: 'sesame-3-is-a-long-one',
    });
    expect(text).not.toContain('sesame');
  });
});

describe('what can not be adopted is named with its file and line', () => {
  test('hosts of different clusters', () => {
    const other = processOf('agent', {
      words: ['--master=zk://10.9.9.9:2181/mesos'],
      sources: {
        ...AGENT.sources,
        '/etc/default/mesos-agent': '# ours\nexport MESOS_MASTER=zk://10.9.9.9:2181/mesos\n',
      },
    });
    expect(errorsOf({ h1: foundOn('10.0.0.1', [MASTER]), h2: foundOn('10.0.0.2', [other]) })).toEqual([
      expect.stringMatching(
        /^h2: \/etc\/default\/mesos-agent:2: the masters meet at zk:\/\/10\.9\.9\.9:2181\/mesos, but those of h1 at zk:/,
      ),
    ]);
  });

  test.each([
    ['a host without Mesos', foundOn('10.0.0.2', []), /h2: no Mesos master or agent runs/],
    [
      'a host of mesosup',
      foundOn('10.0.0.2', [AGENT], { cluster: 'prod' }),
      /h2: the host belongs to the cluster "prod"/,
    ],
    ['two agents', foundOn('10.0.0.2', [AGENT, AGENT]), /h2: 2 processes of a Mesos agent run/],
    [
      'TLS',
      foundOn('10.0.0.2', [
        {
          ...AGENT,
          environment: { LIBPROCESS_SSL_ENABLED: 'true' },
          sources: { ...AGENT.sources, '/etc/default/mesos': '\nLIBPROCESS_SSL_ENABLED=true' },
        },
      ]),
      /h2: \/etc\/default\/mesos:2: the agent uses TLS/,
    ],
    [
      'a unit with another name',
      foundOn('10.0.0.2', [
        {
          ...AGENT,
          unit: 'ours.service',
          sources: { '/etc/systemd/system/ours.service': 'ExecStart=/usr/sbin/mesos-agent' },
        },
      ]),
      /h2: the agent runs in \/etc\/systemd\/system\/ours\.service, but mesosup manages mesos-agent\.service/,
    ],
    [
      'another port than on the first host',
      foundOn('10.0.0.2', [{ ...AGENT, words: [...AGENT.words, '--port=6051'] }]),
      /h2: mesos-agent\.service: the agent has the port 6051/,
    ],
    [
      'credentials that can not be read',
      foundOn('10.0.0.2', [{ ...AGENT, words: [...AGENT.words, '--credential=/etc/gone'] }]),
      /--credential \(mesos-agent\.service\): its file is missing/,
    ],
    [
      'a secret with a quote',
      foundOn('10.0.0.2', [
        {
          ...AGENT,
          words: [...AGENT.words, '--credential=/c'],
          files: { '/c': '{"principal":"p","secret":"\\""}' },
        },
      ]),
      /the principal or secret of "p" .* has a quote/,
    ],
    [
      'a short secret of a principal of mesosup',
      foundOn('10.0.0.2', [
        {
          ...AGENT,
          words: [...AGENT.words, '--credential=/c'],
          files: { '/c': '{"principal":"mesos-agent","secret":"short"}' },
        },
      ]),
      /mesos-agent .* is a principal of mesosup, but its secret/,
    ],
  ])('%s', (_what, second, message) => {
    const first = foundOn('10.0.0.1', [MASTER, AGENT]);
    expect(errorsOf({ h1: first, h2: second }).join('\n')).toMatch(message);
  });

  test('masters that are not named', () => {
    const three = { ...MASTER, words: [`--zk=${ZK}`, '--quorum=2', '--work_dir=/m'] };
    expect(errorsOf({ h1: foundOn('10.0.0.1', [three, AGENT]) }).join()).toMatch(
      /a quorum of 2 belongs to 3 masters, but 1 of the hosts run one/,
    );
    expect(errorsOf({ h1: foundOn('10.0.0.1', [AGENT]) }).join()).toMatch(/no master runs on the hosts/);
  });
});

test('a variable that is not kept is a note with its line', () => {
  const { notes } = adopt({
    h1: foundOn('10.0.0.1', [
      MASTER,
      {
        ...AGENT,
        environment: { JAVA_HOME: '/java', LANG: 'C', OF_A_SCRIPT: '1' },
        sources: { ...AGENT.sources, '/etc/default/mesos': 'X=1\nJAVA_HOME=/java\n' },
      },
    ]),
  });
  expect(notes.map(({ message }) => message)).toEqual([
    '/etc/default/mesos:2: the variable JAVA_HOME of the agent is not kept',
  ]);
});

/** The arguments of a process that mesosup has started. */
function wordsOf(flags: Flags, where: string): string[] {
  return [...flags]
    .filter(([name]) => name !== 'no-logger')
    .map(([name, value]) =>
      name === 'zk' || name === 'master'
        ? `--${name}=${where}`
        : value === ''
          ? `--${name}`
          : `--${name}=${value}`,
    );
}

/** Flags with and without values, except the ones to which mesosup gives its own value. */
const FLAGS: fc.Arbitrary<MesosFlags> = fc
  .dictionary(
    fc.constantFrom(
      'gc_delay',
      'launcher',
      'isolation',
      'work_dir',
      'authenticate_http_readonly',
      'no-authenticate_http_readwrite',
      'executor_registration_timeout',
      'ip',
      'no-strict',
    ),
    fc.constantFrom('/a', '1mins', 'posix', ''),
    { noNullPrototype: true },
  )
  .map((flags) =>
    Object.fromEntries(
      Object.entries(flags).map(([name, value]) => [
        name,
        /authenticate|^no-/.test(name) ? '' : /^executor/.test(name) ? value || '9mins' : value,
      ]),
    ),
  );

test('a cluster with the flags that mesosup sets is adopted with the same flags', () => {
  const credentials = { '/etc/mesosup/agent-credential': 'mesos-agent aaaaaaaaaaaaaaaaaaaaaaaa' };
  const list = '{"credentials":[]}';
  const files = {
    ...credentials,
    '/etc/mesosup/master-credentials': list,
    '/etc/mesosup/agent-http-credentials': list,
  };
  fc.assert(
    fc.property(
      FLAGS,
      FLAGS,
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('own' as const, 'clusterd' as const),
      (master, agent, count, layout) => {
        const roles = ['master', 'agent'] as const;
        const names = Array.from({ length: count * 2 - 1 }, (_, i) => `h${i + 1}`);
        const original = clusterOf(
          names.map((name, i) =>
            hostOf(name, { roles, attributes: { rack: String(i) }, resources: i === 0 ? {} : { cpus: '2' } }),
          ),
          { masterFlags: master, agentFlags: agent, zookeeper: ZK },
        );
        const flagsIn = (cluster: Cluster, index: number) => {
          const host = cluster.hosts[index];
          if (!host) throw new Error('no host');
          const input = {
            cluster,
            host,
            facts: { init: 'systemd' as const },
            topology: { usesZooKeeper: true },
            layout: { kind: layout },
            address: `10.0.0.${index + 1}`,
          };
          return { master: masterFlags(input), agent: agentFlags(input) };
        };
        const { cluster } = adopt(
          Object.fromEntries(
            names.map((name, i) => {
              const flags = flagsIn(original, i);
              const host = original.hosts[i];
              const tables = ['attributes', 'resources'].flatMap((table) => {
                const pairs = Object.entries(host?.[table as 'attributes'] ?? {});
                return pairs.length === 0
                  ? []
                  : [`--${table}=${pairs.map(([key, value]) => `${key}:${value}`).join(';')}`];
              });
              const made = (role: 'master' | 'agent') =>
                processOf(role, {
                  words: [...wordsOf(flags[role], ZK), ...(role === 'agent' ? tables : [])],
                  files,
                  ...(layout === 'own' && {
                    sources: { [`/etc/systemd/system/mesos-${role}.service`]: 'ExecStart=/usr/sbin/mesos' },
                  }),
                });
              return [name, foundOn(`10.0.0.${i + 1}`, roles.map(made))];
            }),
          ),
        );
        const sorted = (flags: Flags) => [...flags].toSorted(([a], [b]) => (a < b ? -1 : 1));
        for (const [i, host] of cluster.hosts.entries()) {
          const [before, after] = [flagsIn(original, i), flagsIn(cluster, i)];
          expect(sorted(after.master)).toEqual(sorted(before.master));
          expect(sorted(after.agent)).toEqual(sorted(before.agent));
          expect(host).toMatchObject({
            attributes: original.hosts[i]?.attributes,
            resources: original.hosts[i]?.resources,
          });
        }
      },
    ),
  );
});
