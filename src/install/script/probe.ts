/**
 * The script that reads a host: POSIX sh with coreutils, findutils, awk, bash (for TCP alone), util-linux, and what
 * the init system and dpkg bring. It changes nothing and prints one line of JSON, whose strings are the raw outputs in
 * base64; `parseFacts` makes facts of it. What takes long runs side by side: `a | { b; cat; }` starts both at once.
 */

import type { Secrets } from '../../cluster/secrets.ts';
import { quote } from '../../hosts/quote.ts';
import { PACKAGED_LAYOUTS } from '../layout.ts';
import type { ProbeTargets } from '../probe-targets.ts';
import { ASK, ASKED, apiUser, httpRequest, operator } from './http-request.ts';
import {
  CLUSTER,
  DPKG_LOCKS,
  JOURNAL,
  PAYLOADS,
  RELEASED,
  RUN,
  RUN_LOCK,
  SERVICES,
  START_POLICY,
  START_POLICY_MARK,
  STARTED,
} from './places.ts';
import { unitName } from './unit-name.ts';

export interface ProbeOptions {
  /** To ask masters, agents and schedulers with; without them only what is open to all can be told. */
  readonly secrets?: Pick<Secrets, 'operator' | 'api'>;
}

/** Text is read from files up to this size, in bytes; they must be readable by all. */
const MAX_TEXT = 16 * 1024;
/** Larger files get no digest. */
const MAX_HASHED = 64 * 1024 * 1024;

/** What systemd is asked of each unit. */
export const UNIT_PROPERTIES =
  'LoadState,ActiveState,SubState,UnitFileState,MainPID,FragmentPath,NeedDaemonReload,NRestarts';

const words = (list: readonly string[]) => list.map(quote).join(' ');

/** @returns a script for `Host.run`; it may hold secrets */
export function probeScript(targets: ProbeTargets, options: ProbeOptions = {}): string {
  const asked = JSON.stringify({ services: targets.services, disks: targets.disks, ports: targets.ports });
  const branches = [
    ...health(targets, options),
    unitsBranch(targets),
    packagesBranch(targets),
    ...filesBranches(targets),
    DOCKER,
  ];
  const branched = branches.reduceRight(
    (rest, branch) => `{ ${branch.trim()}\n} </dev/null | {\n${rest}\ncat\n}`,
    `plain </dev/null | member plain`,
  );
  return `export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077
exec 2>/dev/null
member() { printf ',"%s":"' "$1"; base64 -w 0; printf '"'; }
${ASK}${ASKED}${ownAddress(targets.health.address)}${plain(targets)}
printf '{"format":1,"asked":%s,"began":"%s"' ${quote(asked)} "$(date +%s%N)"
${branched}
printf ',"ended":"%s"}\\n' "$(date +%s%N)"
`;
}

/** Facts that are short and quick to read: names and texts in turn, each ended by a NUL. */
function plain(targets: ProbeTargets): string {
  return `part() { name=$1; shift; printf '%s\\0' "$name"; "$@"; printf '\\0'; }
text() { [ -f "$1" ] && cat "$1"; }
init() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif initctl version | grep -q upstart; then echo upstart
  else echo other; fi
}
cgroups() {
  case $(stat -f -c %T /sys/fs/cgroup) in
    cgroup2fs) echo v2 ;;
    tmpfs) if [ "$(stat -f -c %T /sys/fs/cgroup/unified)" = cgroup2fs ]; then echo hybrid; else echo v1; fi ;;
    *) echo none ;;
  esac
}
addresses() {
  if command -v ip >/dev/null; then ip -4 route show default; ip -o addr show scope global
  else hostname -I; fi
}
disks() {
  for p in ${words(targets.disks)}; do
    while [ -n "$p" ] && [ ! -d "$p" ]; do p=\${p%/*}; done
    set -- "$@" "\${p:-/}"
  done
  [ $# -eq 0 ] || stat -f -c '%a %S' "$@"
}
mounts() {
  for p in ${words(targets.disks)}; do
    while [ -n "$p" ] && [ ! -d "$p" ]; do p=\${p%/*}; done
    findmnt -n -r -o OPTIONS -T "\${p:-/}" || echo unknown
  done
}
${LOCK_HOLDER}
left() {
  for f in /var/lib/dpkg/updates/[0-9]*; do [ -e "$f" ] && echo dpkg && break; done
  if [ -f ${START_POLICY} ] && grep -qxF ${quote(START_POLICY_MARK)} ${START_POLICY}; then echo policy-rc.d; fi
}
users() { for u in ${words(targets.users)}; do id "$u"; done; }
listeners() { if command -v ss >/dev/null; then ss -ltnp; else cat /proc/net/tcp /proc/net/tcp6; fi; }
inputs() {
  for f in ${SERVICES}/*.inputs; do
    [ -f "$f" ] && IFS= read -r digest <"$f" && f=\${f##*/} && printf '%s %s\\n' "$digest" "\${f%.inputs}"
  done
}
dockers() {
  for p in /snap/bin/docker /var/lib/snapd/snap/bin/docker; do [ -e "$p" ] && echo "snap $p"; done
  for p in /usr/local/sbin/dockerd /usr/local/bin/dockerd /usr/sbin/dockerd /usr/bin/dockerd; do
    [ -x "$p" ] && ! dpkg-query -S "$p" >/dev/null && ! dpkg-query -S "$(readlink -f "$p")" >/dev/null && echo "static $p"
  done
  [ -d /opt/docker-desktop ] && echo desktop /opt/docker-desktop
  for p in /root/.config/systemd/user/docker.service /home/*/.config/systemd/user/docker.service; do
    [ -e "$p" ] && echo "rootless $p"
  done
  # Other programs use rootlesskit too.
  for p in $(grep -lx rootlesskit /proc/[0-9]*/comm); do
    p=\${p%/comm}
    tr '\\0' ' ' <"$p/cmdline" | grep -q dockerd && echo "rootless $p"
  done
}
payloads() { for d in ${PAYLOADS}/*/; do [ -d "$d" ] && [ ! -L "\${d%/}" ] && d=\${d%/} && printf '%s\\n' "\${d##*/}"; done; }
released() { for f in ${PAYLOADS}/*/${RELEASED}; do [ -f "$f" ] && f=\${f%/*} && printf '%s\\n' "\${f##*/}"; done; }
run_state() {
  [ -f ${RUN} ] || return
  cat ${RUN}
  if flock -n -s 9; then echo dead; else echo alive; fi 9<${RUN_LOCK}
}
plain() {
  part os text /etc/os-release
  part arch dpkg --print-architecture
  part kernel uname -r
  part glibc getconf GNU_LIBC_VERSION
  part init init
  part cgroups cgroups
  part hostname uname -n
  part addresses addresses
  part connection printf %s "\${MESOSUP_SSH_CONNECTION-}"
  part cpus getconf _NPROCESSORS_ONLN
  part memory text /proc/meminfo
  part disks disks
  part mounts mounts
  part held held
  part left left
  part users users
  part listeners listeners
  part inputs inputs
  part dockers dockers
  part journal text ${JOURNAL}
  part cluster text ${CLUSTER}
  part payloads payloads
  part released released
  part current readlink ${PAYLOADS}/current
  [ -e ${STARTED} ] && part is-started echo yes
  part run run_state${targets.health.agent === undefined || !targets.health.agentWorkDir ? '' : `\n  part agent-id readlink ${quote(`${targets.health.agentWorkDir}/meta/slaves/latest`)}`}
}`;
}

/** \`held\`: who holds a lock of dpkg or apt, as \`program (pid)\`; nothing when nobody does. Shared with the apply script. */
export const LOCK_HOLDER = `held() {
  inodes=$(stat -c %i ${DPKG_LOCKS.join(' ')} 2>/dev/null | tr '\\n' ' ')
  pids=$(awk -v inodes="$inodes" 'BEGIN { n = split(inodes, l, " "); for (i = 1; i <= n; i++) want[l[i]] = 1 }
    $2 == "POSIX" { split($6, p, ":"); if (p[3] in want) print $5 }' /proc/locks 2>/dev/null)
  for pid in $pids; do
    # An inode's number is its own within one file system only.
    for fd in /proc/"$pid"/fd/*; do
      case $(readlink "$fd" 2>/dev/null) in
        ${DPKG_LOCKS.join(' | ')})
          { read -r program <"/proc/$pid/comm"; } 2>/dev/null || program=a-process
          printf '%s (%s)\\n' "$program" "$pid"
          return ;;
      esac
    done
  done
}`;

function unitsBranch({ services }: ProbeTargets): string {
  if (services.length === 0) return 'true';
  const units = words(services.map((name) => unitName(name)));
  const jobs = words(services);
  return `if [ -d /run/systemd/system ]; then
  systemctl show -p ${UNIT_PROPERTIES} -- ${units} | member units
elif command -v initctl >/dev/null; then
  for j in ${jobs}; do
    if [ -f "/etc/init/$j.conf" ]; then
      manual=no
      grep -qsx 'manual' "/etc/init/$j.override" && manual=yes
      printf '%s\\t%s\\t%s\\n' "$j" "$manual" "$(initctl status "$j" | head -n 1)"
    fi
  done | member jobs
fi`;
}

/** The packages asked for, those that runs of ours have removed, and all that are not in order. */
function packagesBranch({ packages }: ProbeTargets): string {
  return `dpkg-query -W -f '\${Package}\\t\${Version}\\t\${Status}\\n' | awk -F '\\t' '
  BEGIN {
    for (i = 1; i < ARGC; i++) want[ARGV[i]] = 1
    ARGC = 1
    while ((getline line <"${JOURNAL}") > 0)
      if (line ~ /^\\{"kind":"package",.*"removed":true/) { split(line, word, "\\""); want[word[8]] = 1 }
  }
  ($1 in want) || $3 !~ / ok (installed|config-files|not-installed)$/' ${words(packages)} | member packages`;
}

/**
 * A list of all, the digests of the regular ones, and the texts of the small ones in the list's order, which are cut
 * apart by their sizes.
 */
function filesBranches({ files, trees }: ProbeTargets): string[] {
  const finds = [
    files.length > 0 ? `find ${words(files)} -maxdepth 0 "$@"` : 'true',
    trees.length > 0 ? `find ${words(trees)} "$@"` : 'true',
  ];
  const look = `look() { ${finds.join('; ')}; }`;
  return [
    `${look}; look -printf '%y\\0%m\\0%u\\0%g\\0%s\\0%p\\0%l\\0' | member list`,
    `${look}; look -type f -size -${MAX_HASHED + 1}c -exec sha256sum {} + | member sums`,
    `${look}; look -type f -perm -004 -size -${MAX_TEXT + 1}c -exec cat {} + | member texts`,
  ];
}

/** True of a file of the list whose text is among the texts. */
export function hasText(file: { type: string; mode: number; size: number }): boolean {
  return file.type === 'f' && (file.mode & 0o004) !== 0 && file.size <= MAX_TEXT;
}

/** The engine is asked only when its process is there: a look at its socket could make systemd start it. */
const DOCKER = `{ pid=$(cat /run/docker.pid 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ] && echo running &&
  timeout 3 docker version --format '{{.Server.Version}}' || { command -v docker && docker --version; }; } | member docker`;

/**
 * `$address`: where the host's services listen, by the same rule as `chooseAddress`. One that is translated on the way to
 * the host is none of its own.
 */
function ownAddress(given: string | undefined): string {
  const services = PACKAGED_LAYOUTS.flatMap(({ master, agent }) => [master, agent]);
  const flags = services.map(({ flags }) => `${flags}/ip`);
  const variables = services.map(({ defaults }) => defaults);
  return `own_address() {
  own=" $(hostname -I) "
  # Words of addresses.
  # shellcheck disable=SC2046
  set -- "$@" $(cat ${words([...new Set(flags)])}; sed -n 's/^MESOS_IP="\\(.*\\)"$/\\1/p' ${words([...new Set(variables)])}; echo "\${MESOSUP_SSH_CONNECTION-}" | cut -d ' ' -f 3)
  for one; do case $own in *" $one "*) echo "$one"; return ;; esac; done
  ip -4 route get 192.0.2.1 | awk '{ for (i = 1; i < NF; i++) if ($i == "src") print $(i + 1) }'
}
address=$(own_address ${given === undefined ? '' : quote(given)})
address=\${address:-127.0.0.1}
`;
}

function health(targets: ProbeTargets, options: ProbeOptions): string[] {
  const { zookeeper, master, agent, scheduler } = targets.health;
  const get = (port: number, path: string, name: string, user: Parameters<typeof httpRequest>[2]) =>
    `printf '%s' ${quote(httpRequest('GET', path, user))} | asked "$address" ${port} | member ${name}`;
  const people = operator(options.secrets);
  return [
    zookeeper === undefined ? [] : `echo srvr | asked "$address" ${zookeeper} | member zookeeper`,
    master === undefined
      ? []
      : [
          get(master, '/metrics/snapshot', 'masterMetrics', people),
          get(master, '/version', 'masterVersion', undefined),
        ],
    agent === undefined
      ? []
      : [
          get(agent, '/metrics/snapshot', 'agentMetrics', people),
          get(agent, '/version', 'agentVersion', undefined),
        ],
    scheduler === undefined
      ? []
      : get(scheduler, '/v2/info?embed=connected', 'scheduler', apiUser(options.secrets)),
  ].flat();
}
