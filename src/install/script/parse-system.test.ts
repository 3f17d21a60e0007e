import { describe, expect, test } from 'vitest';
import {
  dpkgFacts,
  mesosupFacts,
  parseAddresses,
  parseDisks,
  parseDocker,
  parseJobs,
  parseListeners,
  parseOsRelease,
  parsePackages,
  parseUnits,
  parseUsers,
} from './parse-system.ts';

const none = new Map<string, string>();

test('parses os-release with both kinds of quotes, and a codename that is only in the version', () => {
  expect(
    parseOsRelease(
      'ID=ubuntu\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\nPRETTY_NAME="Ubuntu \\"J\\""\n# x\n',
    ),
  ).toEqual({ id: 'ubuntu', version: '22.04', codename: 'jammy', name: 'Ubuntu "J"' });
  expect(parseOsRelease("ID=debian\nVERSION_ID='8'\nVERSION='8 (jessie)'\n").codename).toBe('jessie');
  expect(parseOsRelease('')).toEqual({ id: '', version: '', codename: '', name: '' });
});

describe('addresses', () => {
  const addr = (name: string, family: string, address: string) =>
    `4: ${name}    ${family} ${address}/24 brd 10.0.0.255 scope global ${name}\\       valid_lft forever`;

  test("the address of the default route comes first; Docker's bridges are omitted", () => {
    const text = [
      'default via 10.0.0.1 dev eth1 proto dhcp metric 100',
      addr('docker0', 'inet', '172.17.0.1'),
      addr('br-4dca33d9f8e5', 'inet', '172.18.0.1'),
      addr('eth0', 'inet', '192.168.1.2'),
      addr('eth1', 'inet6', 'fd00::2'),
      addr('eth1', 'inet', '10.0.0.2'),
    ].join('\n');
    expect(parseAddresses(text)).toEqual(['10.0.0.2', '192.168.1.2', 'fd00::2']);
  });

  test('the source address of the default route comes before others of its device', () => {
    const text = [
      'default via 10.0.0.1 dev eth1 src 10.0.0.9',
      addr('eth1', 'inet', '10.0.0.2'),
      addr('eth1', 'inet', '10.0.0.9'),
    ].join('\n');
    expect(parseAddresses(text)).toEqual(['10.0.0.9', '10.0.0.2']);
  });

  test('from hostname -I if there is no ip', () => {
    expect(parseAddresses('10.0.0.2 fd00::2 \n')).toEqual(['10.0.0.2', 'fd00::2']);
  });
});

test('disks are in the order of the targets', () => {
  expect(parseDisks('100 4096\n7 1024\n', ['/a', '/b'])).toEqual({ '/a': 409_600, '/b': 7168 });
  expect(parseDisks('', ['/a'])).toEqual({});
});

test('parses packages, and lists broken ones', () => {
  const text =
    'bash\t5.2\tinstall ok installed\ngone\t\tunknown ok not-installed\nhalf\t1\tinstall ok half-configured\nreinst\t1\tinstall reinstreq half-installed\nconf\t1\tdeinstall ok config-files\n';
  const { packages, broken } = parsePackages(text);
  expect(Object.keys(packages)).toEqual(['bash', 'half', 'reinst', 'conf']);
  expect(broken).toEqual(['half', 'reinst']);
  expect(dpkgFacts('', 'dpkg\n', broken)).toEqual({ heldBy: '', broken: ['half', 'reinst', 'dpkg'] });
  expect(dpkgFacts('apt-get (12)\n', '', broken)).toEqual({ heldBy: 'apt-get (12)', broken: [] });
});

test('parses users with all their groups', () => {
  const text =
    'uid=1(daemon) gid=1(daemon) groups=1(daemon),4(adm)\nuid=0(root) gid=0(root) groups=0(root)\n';
  expect(parseUsers(text)).toEqual({
    daemon: { uid: 1, groups: ['daemon', 'adm'] },
    root: { uid: 0, groups: ['root'] },
  });
});

describe('listeners', () => {
  test('from ss, once for IPv4 and IPv6', () => {
    const text = [
      'State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process',
      'LISTEN 0      128    0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=65,fd=3))',
      'LISTEN 0      128    [::]:22            [::]:*       users:(("sshd",pid=65,fd=4))',
      'LISTEN 0      50     *:2181             *:*          users:(("java",pid=7,fd=9),("x",pid=8,fd=9))',
      'LISTEN 0      50     127.0.0.1:9        0.0.0.0:*',
    ].join('\n');
    expect(parseListeners(text, [22, 2181, 5050])).toEqual([
      { port: 22, program: 'sshd' },
      { port: 2181, program: 'java' },
    ]);
  });

  test('from /proc/net/tcp, without programs', () => {
    const row = (local: string, state: string) => `   0: ${local} 00000000:0000 ${state} 00000000:00000000`;
    const text = [row('00000000:0885', '0A'), row('0100007F:13BA', '01')].join('\n');
    expect(parseListeners(text, [2181, 5050])).toEqual([{ port: 2181, program: '' }]);
  });
});

describe('units', () => {
  const unit = (values: Record<string, string>) =>
    Object.entries({ LoadState: 'loaded', MainPID: '0', NRestarts: '0', NeedDaemonReload: 'no', ...values })
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');

  test('are matched by position, not by their own names', () => {
    const text = [
      unit({ LoadState: 'not-found', ActiveState: 'inactive' }),
      unit({
        ActiveState: 'active',
        SubState: 'running',
        UnitFileState: 'enabled',
        MainPID: '7',
        FragmentPath: '/lib/systemd/system/b.service',
        NRestarts: '2',
        NeedDaemonReload: 'yes',
      }),
      unit({ ActiveState: 'activating', SubState: 'auto-restart', UnitFileState: 'disabled' }),
      unit({
        LoadState: 'masked',
        ActiveState: 'inactive',
        UnitFileState: 'masked',
        FragmentPath: '/dev/null',
      }),
      unit({
        ActiveState: 'activating',
        SubState: 'start',
        FragmentPath: '/run/systemd/generator.late/e.service',
      }),
    ].join('\n');
    const services = parseUnits(text, ['a', 'b', 'c', 'd', 'e'], new Map([['b', 'digest']]));
    expect(services).toEqual({
      b: {
        enabled: 'enabled',
        state: 'running',
        pid: 7,
        file: '/lib/systemd/system/b.service',
        inputs: 'digest',
        needsReload: true,
        restarts: 2,
      },
      c: expect.objectContaining({ enabled: 'disabled', state: 'failed' }),
      d: expect.objectContaining({ enabled: 'masked', state: 'stopped', file: '' }),
      e: expect.objectContaining({ enabled: 'generated', state: 'starting', file: '' }),
    });
  });

  test('an empty answer has no units', () => {
    expect(parseUnits('', ['a'], none)).toEqual({});
  });
});

test('parses Upstart jobs', () => {
  const text = [
    'mesos-master\tno\tmesos-master start/running, process 812',
    'mesos-slave\tyes\tmesos-slave stop/waiting',
    'zookeeper\tno\tzookeeper start/pre-start, process 9',
  ].join('\n');
  expect(parseJobs(text, none)).toMatchObject({
    'mesos-master': { enabled: 'enabled', state: 'running', pid: 812, file: '/etc/init/mesos-master.conf' },
    'mesos-slave': { enabled: 'disabled', state: 'stopped', pid: 0 },
    zookeeper: { state: 'starting', pid: 9 },
  });
});

test('parses a running and a stopped Docker', () => {
  expect(parseDocker('running\n20.10.24+dfsg1\n')).toEqual({ version: '20.10.24+dfsg1', running: true });
  expect(parseDocker('/usr/bin/docker\nDocker version 20.10.24+dfsg1, build 297e128\n')).toEqual({
    version: '20.10.24+dfsg1',
    running: false,
  });
  expect(parseDocker('')).toEqual({ version: '', running: false });
});

test('services that run through the link have no version of their own', () => {
  const parts: Record<string, string> = { current: '/opt/mesosup/2\n', 'in-use': '1\n2\ncurrent\n' };
  const { current, inUse } = mesosupFacts((name) => parts[name] ?? '');
  expect([current, inUse]).toEqual(['2', ['1', '2']]);
});
