import { describe, expect, test } from 'vitest';
import { refuseOther, withHost, withoutHost, withReplacement } from './edit-spec.ts';
import { parseSpec } from './spec.ts';

const FILE = 'cluster.yaml';
const four = `# The lab's cluster
name: lab
mesos: { source: clusterd, version: 1.11.0-0.9.0 } # pinned

# in rack order
hosts:
  - h1 # the old one
  - h2
  - name: h3
    attributes: { rack: a }
  # spare
  - admin@h4:2222
agentFlags:
  gc_delay: 2days
  no-logger:
ports: { master: 5055 }
`;

function rolesIn(text: string): Record<string, string> {
  const result = parseSpec(text, FILE);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return Object.fromEntries(result.value.hosts.map(({ name, roles }) => [name, roles.join()]));
}

const clusterOf = (text: string) => {
  const result = parseSpec(text, FILE);
  return result.ok ? result.value : result.errors;
};

describe('a host', () => {
  test('takes the place of another one, with its roles, attributes and comments', () => {
    expect(withReplacement(four, FILE, 'h1', { name: 'h9' })).toBe(four.replace('- h1 #', '- h9 #'));
    expect(withReplacement(four, FILE, 'h3', { name: 'h9', address: '10.0.0.9' })).toBe(
      four.replace(
        '- name: h3\n    attributes: { rack: a }\n',
        '- name: h9\n    attributes: { rack: a }\n    address: 10.0.0.9\n',
      ),
    );
    const text =
      'hosts:\n  - name: a\n    address: 10.0.0.1\n    privateAddress: 10.0.0.1\n    roles: [ master, agent ]\n  - b\n';
    expect(withReplacement(text, FILE, 'a', { name: 'c' })).toBe(
      'hosts:\n  - name: c\n    roles: [ master, agent ]\n  - b\n',
    );
    const ssh = withReplacement(four, FILE, 'h4', { name: 'h9', address: '10.0.0.9' });
    expect(ssh).toContain(
      '  - name: h9\n    ssh:\n      user: admin\n      port: "2222"\n    address: 10.0.0.9\n',
    );
    expect(rolesIn(ssh)).toEqual({
      ...Object.fromEntries(Object.entries(rolesIn(four)).filter(([n]) => n !== 'h4')),
      h9: 'agent',
    });
    expect(() => withReplacement(four, FILE, 'h1', { name: 'h2' })).toThrow('already has a host "h2"');
    expect(() => withReplacement(four, FILE, 'h8', { name: 'h9' })).toThrow('has no host "h8"');
  });

  test('with the first ZooKeeper gives the master of a cluster of one a ZooKeeper, too', () => {
    const two = withHost('hosts:\n  - a # first\n', FILE, {
      name: 'b',
      roles: ['zookeeper', 'master', 'agent'],
    });
    expect(two).toContain('# first');
    expect(rolesIn(two)).toEqual({ a: 'zookeeper,master,scheduler,agent', b: 'zookeeper,master,agent' });
  });

  test('is added at the end of the list; everything else keeps its text and order', () => {
    expect(withHost(four, FILE, { name: 'h5' })).toBe(
      four.replace('  - admin@h4:2222\n', '  - admin@h4:2222\n  - h5\n'),
    );
    const more = withHost(four, FILE, { name: 'h5', address: '10.0.0.5', attributes: { rack: 'b' } });
    expect(more).toBe(
      four.replace(
        '  - admin@h4:2222\n',
        '  - admin@h4:2222\n  - name: h5\n    address: 10.0.0.5\n    attributes:\n      rack: b\n',
      ),
    );
  });

  test('is removed with its own comment', () => {
    expect(withoutHost(four, FILE, 'h4')).toBe(four.replace('  # spare\n  - admin@h4:2222\n', ''));
  });

  test('that is added or removed changes the roles of no other host', () => {
    const roles = rolesIn(four);
    const { h4: _, ...rest } = roles;
    expect(rolesIn(withoutHost(four, FILE, 'h4'))).toEqual(rest);
    const two = 'hosts: [a, root@b:22]\n';
    const three = withHost(two, FILE, { name: 'c' });
    expect(rolesIn(three)).toEqual({ ...rolesIn(two), c: 'agent' });
    expect(clusterOf(withoutHost(three, FILE, 'c'))).toEqual(clusterOf(two));
    expect(three).toBe(
      'hosts: [ { name: a, roles: [ master, scheduler, agent ] }, { name: b, ssh: { user: root, port: 22 }, roles: [ agent ] }, { name: c, roles: [ agent ] } ]\n',
    );
  });

  test('is refused if it is there already, is not there, or is the last one', () => {
    expect(() => withHost(four, FILE, { name: 'h4' })).toThrow('cluster.yaml already has a host "h4"');
    expect(() => withoutHost(four, FILE, 'h9')).toThrow('cluster.yaml has no host "h9"');
    expect(() => withoutHost('hosts: [a]\n', FILE, 'a')).toThrow('at least one host');
    expect(() => withHost('hosts:\n- a\n- b\nname: [\n', FILE, { name: 'c' })).toThrow('cluster.yaml:');
  });

  test('that is added or removed leaves line ends and the texts of numbers as they are', () => {
    const crlf = '# top\r\nhosts:\r\n  - a # x\r\n  - b\r\n  - c\r\nname: n\r\n';
    expect(withHost(crlf, FILE, { name: 'd' })).toBe(crlf.replace('  - c\r\n', '  - c\r\n  - d\r\n'));
    const odd = 'hosts: [ 0x10, b ]\nagentFlags: { a: 0xFF, b: 1e3, c: "x", d: ~ }\n';
    const more = withHost(odd, FILE, { name: '1e3', attributes: { n: 'true', e: '', nil: 'null' } });
    expect(more).toContain('{ a: 0xFF, b: 1e3, c: "x", d: ~ }');
    expect(more).toContain('{ name: 0x10, roles');
    expect(more).toContain(
      '{ name: "1e3", attributes: { n: "true", e: "", nil: "null" }, roles: [ agent ] }',
    );
    expect(Object.keys(rolesIn(more))).toEqual(['0x10', 'b', '1e3']);
  });

  test('keeps an IPv6 address and its login', () => {
    const six = 'hosts: [ "root@[2001:db8::1]:22", "2001:db8::2" ]\n';
    const more = withHost(six, FILE, { name: 'c' });
    expect(clusterOf(withoutHost(more, FILE, 'c'))).toEqual(clusterOf(six));
  });

  test('with an anchor that another host needs is not removed', () => {
    const text =
      'hosts:\n  - { name: a, roles: [ master, scheduler, agent ] }\n  - { name: b, ssh: &s { user: u } }\n  - { name: c, ssh: *s }\n';
    expect(() => withoutHost(text, FILE, 'b')).toThrow("cluster.yaml can't be edited: Unresolved alias");
  });

  test('with a role writes the roles of all hosts where none has roles, and only its own where others have', () => {
    expect(withHost('hosts:\n  - a\n', 'c.yaml', { name: 'b', roles: ['lb'] })).toBe(
      'hosts:\n  - name: a\n    roles: [ master, scheduler, agent ]\n  - name: b\n    roles: [ lb ]\n',
    );
    const own = 'hosts:\n  - name: a\n    roles: [ master, scheduler ]\n  - c\n';
    expect(withHost(own, 'c.yaml', { name: 'b', roles: ['lb'] })).toBe(
      `${own}  - name: b\n    roles: [ lb ]\n`,
    );
  });

  test('that is there is refused if it is wanted with another address, roles or attributes', () => {
    const read = parseSpec(four, FILE);
    const h3 = read.ok && read.value.hosts[2];
    if (!h3) throw new Error('there is no third host');
    refuseOther(h3, { name: 'h3' });
    refuseOther(h3, { name: 'h3', address: 'h3', attributes: { rack: 'a' } });
    expect(() => refuseOther(h3, { name: 'h3', attributes: { rack: 'b' } })).toThrow(
      'already has a host "h3"',
    );
    expect(() => refuseOther(h3, { name: 'h3', address: 'x' })).toThrow('already has a host "h3"');
  });
});
