/**
 * Quirks of hosts, and their effect on an installation. A quirk without a `cause` must not matter. With a cause, the
 * installation may end with an error that matches the cause, but with no other error.
 */

import type { Random } from '../../src/simulator/random.ts';
import { fillDisk, holdDpkgLock, shiftClock } from './faults.ts';
import type { LabHost } from './host.ts';

export interface Quirk {
  readonly name: string;
  readonly apply: (host: LabHost) => Promise<unknown>;
  /** Pattern of the expected error. Missing if the installation must succeed. */
  readonly cause?: RegExp;
  /** A host has at most one quirk of a group. */
  readonly group?: string;
  /** Whether the quirks that use dpkg can't be applied after it. */
  readonly locksDpkg?: true;
}

const script = (text: string) => (host: LabHost) => host.run(`set -e\n${text}`);

const NOISE = `echo Welcome; echo mail >&2
export LANG=tr_TR.UTF-8 LC_ALL=xx_YY IFS=x CDPATH=/usr BASH_ENV=/root/.noise ENV=/root/.noise
export PATH=/nowhere:$PATH
awk() { echo "not awk"; }; id() { echo "not id"; }; export -f awk id
alias ls='ls --color=always' cat=false; umask 077; set -e; trap 'echo Goodbye' EXIT`;

/** Start-up files of root and of the user who logs in. */
function startUp(name: string, bashrc: string, cause?: RegExp): Quirk {
  const homes = 'for home in /root /home/ops; do [ ! -d $home ] || cat /tmp/rc >$home/.bashrc; done';
  return {
    name,
    group: 'start-up',
    apply: (host) =>
      host.run(`set -e; cat >/tmp/rc; ${homes}; echo 'echo noise' >/root/.noise`, { input: bashrc }),
    ...(cause && { cause }),
  };
}

/** Installs a package of the owner that contains only its control file. */
const ownPackage = (control: string) =>
  script(`mkdir -p /tmp/own/DEBIAN
printf '%s\n' ${control} 'Architecture: all' 'Maintainer: O <o@localhost>' 'Description: own' >/tmp/own/DEBIAN/control
dpkg-deb -b /tmp/own /tmp/own.deb >/dev/null
dpkg -i /tmp/own.deb >/dev/null`);

/** A program of perl that listens. */
const listen = (port: number) =>
  script(`cat >/tmp/listen <<'END'
use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 1, LocalPort => ${port}, ReuseAddr => 1) or die; sleep 100000;
END
systemd-run -q --unit=squatter perl /tmp/listen
for i in $(seq 100); do ss -ltn | grep -q ':${port} ' && break; sleep 0.1; done`);

const remount = (directory: string, options: string) =>
  script(
    `mkdir -p ${directory}; mount --bind ${directory} ${directory}; mount -o remount,bind,${options} ${directory}`,
  );

export const QUIRKS: readonly Quirk[] = [
  startUp('a noisy .bashrc', NOISE),
  startUp('a .bashrc with set -eu', 'set -eu\necho $NOT_SET\n', /login shell/),
  startUp(
    'a .bashrc that ends the shell',
    'echo "Not here."; exit 3\n',
    /login shell of \S+ ended with code 3/,
  ),
  startUp('a .bashrc that becomes another shell', 'exec sh -i </dev/null\n', /login shell/),
  {
    name: 'a locale that is not there',
    apply: script(
      "echo 'LANG=de_DE.UTF-8' >/etc/default/locale; echo 'LC_ALL=tr_TR.UTF-8' >>/etc/environment",
    ),
  },
  {
    name: 'a proxy and BASH_ENV for every login',
    apply: script(
      "printf '%s\n' http_proxy=http://192.0.2.1:3128 BASH_ENV=/nowhere ENV=/nowhere >>/etc/environment",
    ),
  },
  {
    name: 'umask 077',
    apply: script(
      "echo 'umask 077' >>/etc/profile; sed -i 's/^UMASK.*/UMASK 077/' /etc/login.defs; echo 'session optional pam_umask.so umask=077' >>/etc/pam.d/common-session",
    ),
  },
  {
    name: 'another time zone',
    apply: script(
      'ln -sf /usr/share/zoneinfo/Asia/Kathmandu /etc/localtime; echo TZ=Asia/Kathmandu >>/etc/environment',
    ),
  },
  { name: '/tmp without exec', apply: script('mount -o remount,noexec,nosuid,nodev /tmp') },
  {
    name: '/opt without exec',
    group: 'mount',
    apply: remount('/opt', 'noexec'),
    cause: /\/opt is on a file system that is mounted noexec/,
  },
  {
    name: '/var/lib/mesos without exec',
    group: 'mount',
    apply: remount('/var/lib/mesos', 'noexec'),
    cause: /\/var\/lib\/mesos is on a file system that is mounted noexec/,
  },
  {
    name: '/usr read-only',
    group: 'mount',
    apply: remount('/usr', 'ro'),
    cause: /\/usr is on a file system that is mounted read-only/,
  },
  {
    name: 'a full /opt',
    group: 'mount',
    apply: (host) => fillDisk(host, '/opt', 1000),
    cause: /\/opt has \d+ MB free, but \d+ MB are needed/,
  },
  {
    name: 'a small /usr/libexec',
    group: 'mount',
    apply: (host) => fillDisk(host, '/usr/libexec', 20_000),
    cause: /no space is left on the host/,
  },
  { name: 'a person called mesosup', apply: script('useradd -m -s /bin/bash -u 4711 mesosup') },
  {
    name: 'a group called docker',
    apply: script('getent group docker >/dev/null || groupadd -g 4712 docker; useradd -m -G docker somebody'),
  },
  {
    name: 'a directory /var/lib/mesosup of its own',
    apply: script('install -d -m 700 /var/lib/mesosup; echo x >/var/lib/mesosup/notes'),
  },
  {
    name: 'strays among the flags',
    apply: script(
      'mkdir -p /etc/mesos-agent/attributes; echo 1.2.3.4 >/etc/mesos-agent/ip.bak; echo a >/etc/mesos-agent/attributes/rack~',
    ),
  },
  {
    name: 'settings of an earlier Mesos',
    apply: script(
      'mkdir -p /etc/mesos; echo zk://old:2181/mesos >/etc/mesos/zk; echo MASTER=old:5050 >/etc/default/mesos-agent',
    ),
  },
  {
    name: 'an engine with a mirror',
    group: 'daemon.json',
    apply: script(
      'mkdir -p /etc/docker; echo \'{"registry-mirrors":["https://mirror.invalid"]}\' >/etc/docker/daemon.json; systemctl restart docker',
    ),
  },
  {
    name: 'an engine that was switched off',
    group: 'daemon.json',
    apply: script('systemctl disable --now docker docker.socket >/dev/null 2>&1'),
  },
  { name: 'a resolver that is dead', apply: script('echo "nameserver 192.0.2.53" >/etc/resolv.conf') },
  {
    name: 'a second address, which the default route has',
    apply: script('ip addr add 203.0.113.7/24 dev eth0; ip route replace default dev eth0 src 203.0.113.7'),
  },
  { name: 'a hosts file without localhost', apply: script('echo "127.0.1.1 $(uname -n)" >/etc/hosts') },
  {
    name: 'a clock that is off',
    apply: (host) => shiftClock(host, 600),
    cause: /its clock is 10 min ahead of/,
  },
  {
    name: 'sshd with one session at a time and a banner',
    apply: script(
      "printf '%s\n' 'MaxSessions 1' 'Banner /etc/issue' >/etc/ssh/sshd_config.d/own.conf; echo 'Authorized use only' >/etc/issue; systemctl reload ssh",
    ),
  },
  {
    name: 'a failed unit',
    apply: script(
      "printf '[Service]\nExecStart=/bin/false\n' >/etc/systemd/system/broken.service; systemctl daemon-reload; systemctl start broken || :",
    ),
  },
  {
    name: "dpkg's lock held for a while",
    locksDpkg: true,
    apply: async (host) => {
      const { release } = await holdDpkgLock(host);
      setTimeout(() => void release().catch(() => {}), 8000);
    },
  },
  {
    name: 'a package left half configured',
    apply: script(
      'cd /tmp; apt-get update -qq; apt-get download -qq hello 2>/dev/null; dpkg --unpack hello_*.deb >/dev/null',
    ),
  },
  { name: 'a held engine', apply: script('apt-mark hold docker.io >/dev/null') },
  {
    name: 'a pinned library',
    group: 'packages',
    apply: script(
      "dpkg --purge --force-depends libsasl2-modules >/dev/null; printf 'Package: libsasl2-modules\nPin: release *\nPin-Priority: -1\n' >/etc/apt/preferences.d/no-sasl",
    ),
    cause: /libsasl2-modules: \/etc\/apt\/preferences\.d\/no-sasl pins it/,
  },
  {
    name: 'recommended and suggested packages by default',
    apply: script(
      'printf \'APT::Install-Recommends "true";\nAPT::Install-Suggests "true";\n\' >/etc/apt/apt.conf.d/99own',
    ),
  },
  {
    name: 'podman in place of Docker',
    group: 'packages',
    apply: ownPackage("'Package: podman-docker' 'Version: 4.3.1'"),
    cause: /podman-docker/,
  },
  {
    name: 'a static engine',
    group: 'packages',
    apply: script("printf '#!/bin/sh\nsleep 1\n' >/usr/local/bin/dockerd; chmod +x /usr/local/bin/dockerd"),
    cause: /\/usr\/local\/bin\/dockerd/,
  },
  {
    name: 'a program on port 5050',
    group: 'port',
    apply: listen(5050),
    cause: /port 5050, which the Mesos master needs, is in use by perl/,
  },
  {
    name: 'a program on port 8080',
    group: 'port',
    apply: listen(8080),
    cause: /port 8080, which the scheduler needs, is in use by perl/,
  },
  {
    name: 'a cluster that it belonged to',
    apply: script('mkdir -p /var/lib/mesosup; echo other >/var/lib/mesosup/cluster'),
    cause: /the host belongs to the cluster "other"/,
  },
];

/**
 * Draws one to four quirks for a host, at most one of a group. More than half of the hosts get only harmless quirks.
 */
export function someQuirks(random: Random): Quirk[] {
  const chosen: Quirk[] = [];
  const drawn = random.chance(0.6) ? QUIRKS.filter(({ cause }) => cause === undefined) : QUIRKS;
  for (let left = random.integer(1, 4); left > 0; left -= 1) {
    const quirk = random.pick(drawn);
    if (!quirk || chosen.includes(quirk)) continue;
    const isTaken = chosen.some(({ group }) => group !== undefined && group === quirk.group);
    if (!isTaken) chosen.push(quirk);
  }
  return chosen.toSorted((a, b) => order(a) - order(b));
}

/** Full and read-only disks come late, since the other quirks write to the disk; dpkg's lock comes last. */
function order({ cause, locksDpkg }: Quirk): number {
  return locksDpkg ? 2 : cause ? 1 : 0;
}
