import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { UsageError } from '../errors/mesosup-error.ts';
import { overridesOf } from './host-list.ts';
import { checkSpec, clusterFrom, parseSpec } from './spec.ts';
import { formatSpecError } from './spec-errors.ts';
import { specJsonSchema } from './spec-schema.ts';

function complaints(text: string): string[] {
  const result = parseSpec(text, 'c.yaml');
  return result.ok ? [] : result.errors.map(formatSpecError);
}

function read(text: string) {
  const result = parseSpec(text, 'c.yaml');
  if (!result.ok) throw new Error(result.errors.map(formatSpecError).join('\n'));
  return result.value;
}

describe('a spec', () => {
  test('needs only a list of hosts', () => {
    const cluster = read('hosts: [a, b, admin@c:2222, d]');
    expect(cluster.name).toBe('mesosup');
    expect(cluster.hosts.map((h) => h.roles)).toEqual([
      ['zookeeper', 'master', 'scheduler', 'agent'],
      ['zookeeper', 'master', 'scheduler', 'agent'],
      ['zookeeper', 'master', 'scheduler', 'agent'],
      ['agent'],
    ]);
    expect(cluster.hosts[2]).toMatchObject({
      name: 'c',
      address: 'c',
      connection: { kind: 'ssh', user: 'admin', port: 2222 },
    });
  });

  test('keeps every scalar as text', () => {
    const cluster = read(`
mesos: { source: clusterd, version: 1.10 }
hosts: [{ name: a, roles: [master, agent], attributes: { rack: 010, ssd: true }, resources: { cpus: 4 } }]
masterFlags:
  no-logger:
  quiet: ~
  max_completed_frameworks: 0x10
agentFlags:
`);
    expect(cluster.mesos).toMatchObject({ version: '1.10' });
    expect(cluster.hosts[0]).toMatchObject({
      attributes: { rack: '010', ssd: 'true' },
      resources: { cpus: '4' },
    });
    expect(cluster.masterFlags).toEqual({ 'no-logger': '', quiet: '', max_completed_frameworks: '0x10' });
    expect(cluster.agentFlags).toEqual({});
  });

  test('applies the common SSH settings below those of a host; the default fingerprint does not apply to another key', () => {
    const cluster = read(`
docker: { source: docker-ce, repository: { debian: "http://mirror/d {codename} stable", key: keys/docker.asc } }
ssh: { user: admin, port: 22, key: ~/.ssh/k, bastion: jump }
hosts:
  - { name: a, address: 10.0.0.1, ssh: { user: root } }
  - { name: b, local: true }
`);
    expect(cluster.hosts.map((h) => h.connection)).toEqual([
      { kind: 'ssh', user: 'root', port: 22, key: '~/.ssh/k', bastion: 'jump' },
      { kind: 'local' },
    ]);
    expect(cluster.docker).toEqual({
      kind: 'docker-ce',
      repository: {
        debian: 'http://mirror/d {codename} stable',
        ubuntu: 'https://download.docker.com/linux/ubuntu {codename} stable',
        key: { file: 'keys/docker.asc' },
      },
    });
  });

  test('makes hosts without roles agents if any host has roles', () => {
    expect(read('hosts: [{name: a, roles: [master]}, b]').hosts.map((h) => h.roles)).toEqual([
      ['master'],
      ['agent'],
    ]);
  });
});

describe('errors of a spec', () => {
  test('are reported all at once, each with its place, the expected value and a suggestion', () => {
    expect(
      complaints(`name: prod
mesos: { source: clustered }
ssh: { usr: x, port: abc }
hosts:
  - name: h2
    roles: [agnet, master]
    privateAddress: 1.2.3
  - { adress: 10.0.0.1 }
  - -x
  - [1]
masterFlags:
  --quorum: 1
agentFlags: [x]
colour: 1
`),
    ).toEqual([
      'c.yaml:2:18: mesos.source: expected one of clusterd, mesosphere, package, preinstalled, not "clustered"; did you mean "clusterd"?',
      'c.yaml:3:8: ssh.usr: unknown key; did you mean "user"?',
      'c.yaml:3:22: ssh.port: expected a whole number from 1 to 65535, not "abc"',
      'c.yaml:6:13: hosts[0].roles[0]: expected one of zookeeper, master, scheduler, agent, lb, not "agnet"; did you mean "agent"?',
      'c.yaml:7:21: hosts[0].privateAddress: expected an IP address, not "1.2.3"',
      'c.yaml:8:5: hosts[1].name: is missing: expected the name or address of a host',
      'c.yaml:8:7: hosts[1].adress: unknown key; did you mean "address"?',
      'c.yaml:9:5: hosts[2]: expected a host, as name or user@name:port, not "-x"',
      'c.yaml:10:5: hosts[3]: expected a name or a block of keys and values, not a list',
      'c.yaml:12:3: masterFlags.--quorum: expected the name of a flag, without dashes before it, not "--quorum"',
      'c.yaml:13:13: agentFlags: expected a block of keys and values, not a list',
      'c.yaml:14:1: colour: unknown key; the keys here are name, mesos, docker, ssh, hosts, masterFlags, agentFlags, schedulerFlags, lbFlags, monitoring, ports, zookeeper, tls',
    ]);
  });

  test.each([
    ['', 'c.yaml: hosts: is missing: expected a list of hosts'],
    ['- a', 'c.yaml:1:1: expected a block of keys and values, not a list'],
    ['hosts: [a]\nhosts: [b]', 'c.yaml:2:1: Map keys must be unique'],
    ['hosts: *a', 'c.yaml: Unresolved alias (the anchor must be set before the alias): a'],
    ['hosts: [a, b, a]', 'c.yaml:1:15: hosts[2].name: the same name as host a: a'],
    [
      'hosts: [{name: a, address: x}, {name: b, address: x}]',
      'c.yaml:1:51: hosts[1].address: the same address as host a: x:22',
    ],
    ['hosts: [a]\nmesos: {sourc: clusterd}', 'c.yaml:2:9: mesos.sourc: unknown key; did you mean "source"?'],
    ['hosts: [a]\ndocker: {surce: x}', 'c.yaml:2:10: docker.surce: unknown key; did you mean "source"?'],
    [
      'hosts: [a]\nmesos: {version: 1}',
      'c.yaml:2:8: mesos.source: is missing: expected one of clusterd, mesosphere, package, preinstalled',
    ],
    [
      'hosts: [a, b, c]\nschedulerFlags: {zk: }',
      'c.yaml:2:18: schedulerFlags.zk: several schedulers need ZooKeeper: remove this key',
    ],
    ['hosts: [a]\nports: {master: 5051}', 'c.yaml:2:8: ports.agent: 5051 is also the port of master'],
    [
      'hosts: [{name: a, roles: [master]}, {name: b, roles: [master]}, {name: c, roles: [master, agent]}]',
      'c.yaml:1:1: hosts: several masters need ZooKeeper: give one, three or five hosts the role "zookeeper"',
    ],
    [
      'hosts: [{name: a, roles: [zookeeper, master, agent]}]\nzookeeper: zk://z:2181/mesos',
      'c.yaml:2:1: zookeeper: with this key, no host can have the role "zookeeper": remove the key or the role',
    ],
    [
      'hosts: [a]\nzookeeper: zk://user:password@z:2181/mesos',
      'zookeeper: expected the address of ZooKeeper without a password: zk://host:port,host:port/path',
    ],
    ['hosts: [{name: a, roles: [agent]}]', 'no host has the role "master"'],
    ['hosts: [{name: a, roles: [master]}]', 'no host has the role "agent"'],
    [
      'hosts: [a, {name: b, roles: [master], attributes: {rack: a}}]',
      'c.yaml:1:39: hosts[1].attributes: this key needs the role "agent", which host b lacks',
    ],
    [
      'hosts: [{name: a, local: true}, {name: b, local: true}]',
      'c.yaml:1:50: hosts[1].local: only one host can have "local: true"',
    ],
  ])('of %j', (text, message) => {
    expect(complaints(text).join('\n')).toContain(message);
  });

  test('never throws for any text', () => {
    const bits = fc.constantFrom(
      'hosts',
      'name',
      'mesos',
      'source',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a',
      '*a',
      '"',
      "'",
      '!!x',
      '|',
      '>',
      '#',
      '---',
      '?',
      'a',
      '1',
      '__proto__',
      'roles',
      'ssh',
      '%',
      '\t',
    );
    const garbage = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(bits, { maxLength: 30 }).map((all) => all.join('')),
      fc.json().map((json) => `hosts: ${json}`),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        const result = parseSpec(text, 'c.yaml');
        if (!result.ok) expect(result.errors.length).toBeGreaterThan(0);
      }),
    );
  });
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const value = fc.stringMatching(/^[ -~]{0,20}$/);
const flags = fc.dictionary(fc.stringMatching(/^(no-)?[a-z][a-z0-9_]{0,9}$/), value, { maxKeys: 3 });
const schedulerFlags = fc.record(
  {
    failover_timeout: fc.integer({ min: 1, max: 1000 }).map(String),
    framework_name: fc.stringMatching(/^[ -~]{1,20}$/),
    endpoints_port_suffix: fc.constant(''),
    http_credentials_file: fc.constant(''),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const port = fc.integer({ min: 1, max: 65_535 }).map(String);
const ssh = fc.record(
  { user: word, port, key: fc.constant('~/k'), bastion: fc.constant('u@j:1,k') },
  { requiredKeys: [] },
);
test('with a ZooKeeper of its owner, masters need no host with ZooKeeper', () => {
  const read = parseSpec('hosts: [a, b, c]\nzookeeper: zk://z1:2181,z2:2181/prod/mesos', 'c.yaml');
  expect(read.ok && read.value.zookeeper).toBe('zk://z1:2181,z2:2181/prod/mesos');
  expect(read.ok && read.value.hosts[0]?.roles).toEqual(['master', 'scheduler', 'agent']);
});

const roles = fc.uniqueArray(fc.constantFrom('zookeeper', 'master', 'scheduler', 'agent'), { minLength: 1 });
const spec = fc.record(
  {
    name: word,
    mesos: fc.constantFrom(
      { source: 'clusterd', version: '1.10' },
      { source: 'package', from: 'https://x/y.deb', sha256: '0'.repeat(64) },
      { source: 'preinstalled' },
    ),
    docker: fc.constantFrom({ source: 'docker-ce' }, { source: 'distribution' }),
    ssh,
    hosts: fc.uniqueArray(
      fc.oneof(
        word,
        fc.record(
          {
            name: word,
            address: word,
            privateAddress: fc.ipV4(),
            roles,
            attributes: flags,
            agentFlags: flags,
            ssh,
          },
          { requiredKeys: ['name'] },
        ),
      ),
      { minLength: 1, maxLength: 5, selector: (h) => (typeof h === 'string' ? h : h.name) },
    ),
    masterFlags: flags,
    schedulerFlags,
    ports: fc.record({ master: port, zookeeper: port }, { requiredKeys: [] }),
  },
  { requiredKeys: ['hosts'] },
);

const outcome = (result: ReturnType<typeof parseSpec>) =>
  result.ok ? result.value : result.errors.map(({ path, message }) => [path, message].join()).toSorted();

test('a spec reads back completely from YAML, quoted or not', () => {
  fc.assert(
    fc.property(spec, (input) => {
      expect(checkSpec(input)).toMatchObject({ ok: true });
      expect(outcome(parseSpec(stringify(input), 'x'))).toEqual(outcome(clusterFrom(input, 'x')));
    }),
  );
});

describe('--hosts', () => {
  const from = (options: Parameters<typeof overridesOf>[0]) => {
    const result = clusterFrom(overridesOf(options), '--hosts');
    if (!result.ok) throw new Error(result.errors.map(formatSpecError).join('\n'));
    return result.value.hosts;
  };
  const all = ['master', 'scheduler', 'agent'];

  test('with one host gives it all roles except ZooKeeper', () => {
    expect(from({ hosts: ['a'] }).map((h) => h.roles)).toEqual([all]);
    expect(from({ local: true })).toMatchObject([{ roles: all, connection: { kind: 'local' } }]);
  });

  test('with two hosts makes the first the master', () => {
    expect(from({ hosts: ['a', 'b'] }).map((h) => h.roles)).toEqual([all, ['agent']]);
  });

  test('sets roles with --masters, --agents and --zookeeper', () => {
    const hosts = from({
      hosts: ['a', 'root@b:23', 'c', 'd'],
      masters: ['b'],
      agents: ['c', 'd'],
      zookeeper: ['a'],
      user: 'joe',
    });
    expect(hosts.map((h) => h.roles)).toEqual([['zookeeper'], ['master', 'scheduler'], ['agent'], ['agent']]);
    expect(hosts.map((h) => h.connection)).toMatchObject([
      { user: 'joe' },
      { user: 'root', port: 23 },
      {},
      {},
    ]);
    expect(from({ hosts: ['a', 'b', 'c', 'd'], masters: ['b', 'c', 'd'] }).map((h) => h.roles[0])).toEqual([
      'agent',
      'zookeeper',
      'zookeeper',
      'zookeeper',
    ]);
  });

  test('refuses unknown hosts and contradictions', () => {
    expect(() => overridesOf({ hosts: ['a'], masters: ['x'] })).toThrow(UsageError);
    expect(() => overridesOf({ masters: ['x'] })).toThrow('--masters needs --hosts');
    expect(() => overridesOf({ hosts: ['a'], local: true })).toThrow("can't be combined");
    expect(() => from({ hosts: ['a b'] })).toThrow(
      '--hosts: hosts[0]: expected a host, as name or user@name:port',
    );
  });

  test('replaces the hosts of the file, and keeps its other keys', () => {
    const result = parseSpec('name: x\nports: {master: 6000}', 'c.yaml', overridesOf({ hosts: ['a'] }));
    expect(result).toMatchObject({ ok: true, value: { name: 'x', ports: { master: 6000 } } });
  });
});

test('the JSON Schema for editors matches the code', () => {
  const file = path.resolve(import.meta.dirname, '../../templates/cluster.schema.json');
  const remedy = `write JSON.stringify(specJsonSchema(), null, 2) to ${file}`;
  expect(JSON.parse(readFileSync(file, 'utf8')), remedy).toEqual(specJsonSchema());
});
