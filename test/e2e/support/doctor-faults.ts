/** Faults for the doctor: how each is made on a lab host, what must be found, and how it is taken back. */

import { shiftClock } from '../../lab/faults.ts';
import type { LabHost } from '../../lab/host.ts';
import { EXPIRED_KEY } from '../../support/expired-key.ts';

export interface Fault {
  readonly host: string;
  /** A script, run as root on the host, or something else. */
  readonly make: string | ((host: LabHost) => Promise<unknown>);
  /** The check that finds it. */
  readonly check: string;
  /** In the message or the evidence of the finding. */
  readonly says: RegExp;
  /** The host of the finding, if it is another one; empty for the cluster. */
  readonly at?: string;
  /**
   * `finding`: the finding says that --fix corrects it, and it does. `drift`: as a difference of the host from the cluster
   * file, which is another finding. Otherwise `back` takes it back.
   */
  readonly fixed?: 'finding' | 'drift';
  /** A script on the host. */
  readonly back?: string;
}

export interface Round {
  readonly title: string;
  readonly faults: readonly Fault[];
  /** Further findings that follow from the faults, as `host check`; `*` for each host or check. */
  readonly also: readonly string[];
}

/** Puts a small file system with the same content on top of a directory. */
const cover = (directory: string, options: string) =>
  `mkdir -p /run/cover && mount -t tmpfs -o ${options} tmpfs /run/cover && cp -a ${directory}/. /run/cover &&
   mount --move /run/cover ${directory} 2>/dev/null || { mount --bind /run/cover ${directory}; umount /run/cover; }`;
const addressOf = (name: string) => `$(getent ahostsv4 ${name} | head -n 1 | cut -d ' ' -f 1)`;
const SCHEDULER_STATE = '/var/lib/mesosup/scheduler';

const ORDINARY_FAULTS: readonly Fault[] = [
  {
    host: 'h1',
    make: `${cover('/var/log', 'mode=755,size=96m')}; head -c 99999999 /dev/zero >/var/log/filler; true`,
    check: 'disk',
    says: /the disk of \/var\/log is nearly full: [01]\.\d % are free/,
    back: 'umount -l /var/log',
  },
  {
    host: 'h1',
    make: 'cp /etc/nsswitch.conf /root/nsswitch && sed -i "s/^hosts:.*/hosts: files/" /etc/nsswitch.conf',
    check: 'dns',
    says: /the host can't resolve the name h3\n/,
    back: 'cp /root/nsswitch /etc/nsswitch.conf',
  },
  {
    host: 'h1',
    make: 'hostname nowhere',
    check: 'dns',
    says: /the host can't resolve its own name nowhere/,
    back: 'hostname h1',
  },
  {
    host: 'h1',
    make: 'sed "s/^MemTotal:.*/MemTotal: 900000 kB/" /proc/meminfo >/run/meminfo && mount --bind /run/meminfo /proc/meminfo',
    check: 'memory',
    says: /the host has 921 MB of memory; its roles .* need 1280 MB/,
    back: 'umount /proc/meminfo',
  },
  {
    host: 'h1',
    make: 'touch /var/lib/dpkg/updates/0001',
    check: 'dpkg',
    says: /dpkg was interrupted/,
    back: 'rm /var/lib/dpkg/updates/0001',
  },
  {
    host: 'h2',
    make: `iptables -I INPUT -p tcp --dport 5051 -s ${addressOf('h1')} -j DROP`,
    check: 'reach',
    at: 'h1',
    says: /it can't connect to h2 .* at port 5051[\s\S]*: timeout/,
    back: 'iptables -D INPUT 1',
  },
  {
    host: 'h2',
    make: 'mount -t tmpfs -o size=32m tmpfs /tmp && head -c 31876710 /dev/zero >/tmp/filler',
    check: 'disk',
    says: /the disk of \/tmp is nearly full: [45]\.\d % are free/,
    back: 'umount -l /tmp',
  },
  {
    host: 'h2',
    make: cover(SCHEDULER_STATE, 'mode=750,size=64m'),
    check: 'volatile',
    says: /\/var\/lib\/mesosup\/scheduler is in memory \(tmpfs\): the scheduler's state will be lost/,
    back: `umount -l ${SCHEDULER_STATE}`,
  },
  {
    host: 'h2',
    make: 'ip link set eth0 mtu 1400',
    check: 'mtu',
    says: /an MTU of 1400, the other hosts have 1500/,
    back: 'ip link set eth0 mtu 1500',
  },
  {
    host: 'h2',
    make: 'mkdir /run/gone && echo 4194000 1 >/run/gone/supervisor.pid && tar c -C /run gone | docker import - gone:1 && docker create --name gone --label mesosup.sandbox=/run/gone gone:1 /x',
    check: 'orphans',
    says: /1 container belongs to no executor\n[\da-f]{12} gone/,
    back: 'docker rm gone; docker rmi gone:1; rm -r /run/gone',
  },
  {
    host: 'h2',
    make: 'mkdir /opt/mesosup/0.0.1 /opt/mesosup/0.0.2 /opt/mesosup/0.0.3',
    check: 'payloads',
    says: /3 old versions of mesosup take space in \/opt\/mesosup\nversions: (?=.*0\.0\.1)(?=.*0\.0\.2).*0\.0\.3/,
    back: 'rmdir /opt/mesosup/0.0.[123]',
  },
  {
    host: 'h3',
    make: `iptables -I INPUT -p tcp --dport 2181 -s ${addressOf('h2')} -j REJECT --reject-with tcp-reset`,
    check: 'reach',
    at: 'h2',
    says: /it can't connect to h3 .* at port 2181[\s\S]*: Connection refused/,
    back: 'iptables -D INPUT 1',
  },
  {
    host: 'h3',
    make: `mount -t tmpfs -o nr_inodes=9 tmpfs ${SCHEDULER_STATE} && cd ${SCHEDULER_STATE} && touch a b c d e f g h; true`,
    check: 'inodes',
    says: /the file system of \/var\/lib\/mesosup\/scheduler can hold only 0 more files/,
    back: `umount -l ${SCHEDULER_STATE}`,
  },
  {
    host: 'h3',
    make: 'mount --bind /opt /opt && mount -o remount,bind,noexec /opt',
    check: 'mount',
    says: /\/opt is on a file system that is mounted noexec, so mesosup's runtime can't run there/,
    back: 'umount -l /opt',
  },
  {
    host: 'h3',
    make: 'mount --bind /usr /usr && mount -o remount,bind,ro /usr',
    check: 'mount',
    says: /\/usr is on a file system that is mounted read-only/,
    back: 'umount -l /usr',
  },
];

const CLOCK: readonly Fault[] = [
  {
    host: 'h2',
    make: (host) => shiftClock(host, 600),
    check: 'clock',
    says: /its clock is 10 min ahead of the other clocks/,
    back: 'rm /usr/local/sbin/date',
  },
];

const FIXED_FAULTS: readonly Fault[] = [
  {
    host: 'h1',
    make: 'systemctl disable -q mesos-master',
    check: 'boot',
    says: /mesos-master runs, but is disabled: it will not start when the host restarts/,
    fixed: 'finding',
  },
  {
    host: 'h1',
    make: "echo '# edited' >>/etc/systemd/system/mesosup-janitor.timer",
    check: 'drift',
    says: /\/etc\/systemd\/system\/mesosup-janitor\.timer/,
    fixed: 'finding',
  },
  {
    host: 'h1',
    make: 'echo 9 >/var/lib/zookeeper/myid',
    check: 'myid',
    says: /ZooKeeper's id is 9, but the ensemble knows this server as 1\n.*\/myid: 9/,
    fixed: 'finding',
  },
  {
    host: 'h1',
    make: `echo '{"id":"install-lost","command":"install","who":"ann@box (7)","since":1700000000000}' >/var/lib/mesosup/run.json`,
    check: 'run',
    says: /"mesosup install" by ann@box \(7\) ended unexpectedly[\s\S]*run install-lost/,
    fixed: 'finding',
  },
  {
    host: 'h2',
    make: 'systemctl stop mesosup-scheduler',
    check: 'service',
    says: /the service mesosup-scheduler \(the scheduler\) is stopped/,
    fixed: 'finding',
  },
  {
    host: 'h2',
    make: 'rm /var/lib/mesos/executors/docker',
    check: 'drift',
    says: /\/var\/lib\/mesos\/executors\/docker/,
    fixed: 'finding',
  },
  {
    host: 'h2',
    make: 'chmod 644 /etc/mesosup/agent-credential',
    check: 'drift',
    says: /\/etc\/mesosup\/agent-credential/,
    fixed: 'finding',
  },
  {
    host: 'h2',
    make: 'echo maxClientCnxns=1 >>/etc/mesosup/zookeeper/zoo.cfg',
    check: 'drift',
    says: /\/etc\/mesosup\/zookeeper\/zoo\.cfg/,
    fixed: 'finding',
  },
  {
    host: 'h3',
    make: 'rm /opt/mesosup/current',
    check: 'payload',
    says: /mesosup's programs are missing: \/opt\/mesosup\/current is gone\nversions in/,
    fixed: 'finding',
  },
  {
    host: 'h3',
    make: 'systemctl stop docker docker.socket',
    check: 'service',
    says: /the service docker \(Docker\) is stopped/,
    fixed: 'finding',
  },
  {
    host: 'h3',
    make: (host) => host.run('cat >"$(ls /etc/apt/keyrings/* | head -n 1)"', { input: EXPIRED_KEY }),
    check: 'key',
    says: /the apt key \/etc\/apt\/keyrings\/\S+ expired on 2020-01-31: apt refuses its repository\n[\dA-F]{40}/,
    fixed: 'drift',
  },
  {
    host: 'h3',
    make: 'systemctl mask -q mesos-agent',
    check: 'boot',
    says: /mesos-agent runs, but is masked: it will not start when the host restarts/,
    fixed: 'finding',
  },
];

/** Holds a port until it is killed. */
const HOLD = `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 1, ReuseAddr => 1) or die; sleep 9999'`;

const SERVICE_FAULTS: readonly Fault[] = [
  {
    host: 'h1',
    make: `systemctl stop mesosup-scheduler; ${HOLD} >/dev/null 2>&1 </dev/null & echo $! >/run/holder; sleep 1; systemctl start --no-block mesosup-scheduler`,
    check: 'service',
    says: /mesosup-scheduler \(the scheduler\) (has failed|fails again and again): another program uses its port\n.*8080/,
    back: 'kill $(cat /run/holder)',
  },
  {
    host: 'h1',
    make: ':',
    check: 'port',
    says: /port 8080, which the scheduler needs, is in use by perl/,
  },
  {
    host: 'h1',
    make: 'systemctl kill -s STOP --kill-who=main mesos-agent',
    check: 'health',
    says: /the Mesos agent runs, but does not answer on port 5051/,
    back: 'systemctl kill -s CONT --kill-who=main mesos-agent',
  },
  {
    host: 'h2',
    make: 'echo z >/etc/mesos-agent/attributes/rack; systemctl restart mesos-agent',
    check: 'service',
    says: /mesos-agent \(the Mesos agent\) (has failed|fails again and again): its attributes or resources differ[^\n]*\n.*Incompatible agent info/,
    back: 'echo a >/etc/mesos-agent/attributes/rack',
  },
  {
    host: 'h2',
    make: 'systemctl kill -s STOP --kill-who=main zookeeper',
    check: 'health',
    says: /ZooKeeper runs, but does not answer on port 2181/,
    back: 'systemctl kill -s CONT --kill-who=main zookeeper',
  },
  {
    host: 'h3',
    make: 'echo blue >/etc/mesos-agent/colour; systemctl restart mesos-agent',
    check: 'service',
    says: /mesos-agent \(the Mesos agent\) (has failed|fails again and again): it does not know a flag that it was given\n.*colour/,
    back: 'rm /etc/mesos-agent/colour',
  },
];

const DOCKER_FAULTS: readonly Fault[] = [
  {
    host: 'h1',
    make: `echo '{"live-restore": false, "log-driver": "json-file"}' >/etc/docker/daemon.json && systemctl reload docker`,
    check: 'live-restore',
    says: /Docker's live-restore is off: all containers end when Docker restarts\ndocker info: Live Restore Enabled: false/,
    fixed: 'drift',
  },
  {
    host: 'h1',
    make: ':',
    check: 'log-rotation',
    says: /its log files have no maximum size\ndocker info: Logging Driver: json-file/,
    fixed: 'drift',
  },
  {
    host: 'h2',
    make: `echo '{"live-restore": true, "log-opts": {"max-size": "9m"}, "storage-driver": "vfs"}' >/etc/docker/daemon.json && systemctl restart docker`,
    check: 'storage-driver',
    says: /Docker's storage driver is vfs, which copies each image for each container/,
    fixed: 'drift',
  },
  {
    host: 'h3',
    make: 'kill -STOP $(cat /run/docker.pid)',
    check: 'docker',
    says: /Docker runs, but does not answer within 10 s/,
    back: 'kill -CONT $(cat /run/docker.pid)',
  },
];

const CLUSTER_FAULTS: readonly Fault[] = [
  {
    host: 'h1',
    make: 'rm /var/lib/mesosup/started',
    check: 'stopped',
    says: /lab is stopped on this host\n\/var\/lib\/mesosup\/started: missing/,
    back: 'touch /var/lib/mesosup/started',
  },
  {
    host: 'h2',
    make: "rm '/etc/mesos-master/?authenticate_http_readonly' && systemctl restart mesos-master",
    check: 'open',
    says: /the Mesos master answers anyone[^\n]*\nGET without credentials: HTTP 200/,
    fixed: 'drift',
  },
  {
    host: 'h3',
    make: 'mkdir /root/away && mv /var/lib/mesosup/cluster /var/lib/mesosup/started /root/away/',
    check: 'absent',
    says: /the host is not installed\n\/var\/lib\/mesosup\/cluster: missing/,
    back: 'mv /root/away/* /var/lib/mesosup/ && rmdir /root/away',
  },
];

const ENSEMBLE_FAULTS: readonly Fault[] = ['h1', 'h2'].map((host) => ({
  host,
  make: 'systemctl stop zookeeper',
  check: 'service',
  says: /the service zookeeper \(ZooKeeper\) is stopped/,
  fixed: 'finding',
}));

export const ROUNDS: readonly Round[] = [
  {
    title: 'hosts and networks',
    faults: ORDINARY_FAULTS,
    // Without the name h3, h1 does not find a scheduler that leads there.
    also: ['h1 volatile', 'h1 health', 'h3 volatile', 'h3 drift', '* path-mtu', 'cluster *'],
  },
  { title: 'a clock', faults: CLOCK, also: [] },
  {
    title: 'what an installation corrects',
    faults: FIXED_FAULTS,
    also: ['* drift', 'h3 health', 'h3 service', 'cluster *'],
  },
  {
    title: 'services that fail or hang',
    faults: SERVICE_FAULTS,
    also: ['* drift', '* health', 'h1 reach', 'h3 reach', 'cluster *'],
  },
  { title: 'Docker', faults: DOCKER_FAULTS, also: ['* drift', 'h3 health', 'h3 service'] },
  { title: 'records of hosts', faults: CLUSTER_FAULTS, also: ['* drift', '* health', 'cluster *'] },
  {
    title: 'a host without SSH',
    faults: [
      {
        host: 'h3',
        make: 'systemctl stop ssh.socket ssh 2>/dev/null; systemctl is-active ssh && exit 1; true',
        check: 'unreachable',
        says: /no SSH server is listening at/,
        back: 'systemctl start ssh',
      },
    ],
    also: [],
  },
  {
    title: 'an ensemble without a majority',
    faults: [
      ...ENSEMBLE_FAULTS,
      {
        host: 'h1',
        make: ':',
        at: '',
        check: 'cluster',
        says: /ZooKeeper has no leader\n[\s\S]*zookeeper does not answer/,
        fixed: 'drift',
      },
    ],
    also: ['* health', '* service', '* drift', 'cluster *'],
  },
];
