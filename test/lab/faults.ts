/** Faults of hosts. Power and network are methods of the host. Each fault here returns a function that repairs it. */

import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { quote } from '../../src/hosts/quote.ts';
import { docker } from './docker.ts';
import type { LabHost } from './host.ts';

export type Repair = () => Promise<void>;

/** Freezes all processes, as in a stopped virtual machine; connections stay open and silent. */
export async function freeze(host: LabHost): Promise<Repair> {
  await docker('pause', host.container);
  return async () => {
    await docker('unpause', host.container);
  };
}

/** Drops everything that the host sends: connections stay open, and new ones are neither accepted nor refused. */
export async function silence(host: LabHost): Promise<Repair> {
  await host.run('ip rule add pref 1 blackhole');
  return async () => {
    await host.run('ip rule del pref 1');
  };
}

/** Kills every SSH connection to the host. Programs started over it keep running, and sshd accepts new connections. */
export async function killConnections(host: LabHost): Promise<void> {
  await host.run(`main=$(systemctl show -P MainPID ssh)
    for dir in /proc/[0-9]*; do
      pid=\${dir#/proc/}
      case $(cat "$dir/comm" 2>/dev/null) in
        sshd*) [ "$pid" = "$main" ] || kill -9 "$pid" || : ;;
      esac
    done`);
}

/** Takes dpkg's lock like apt, with fcntl, in a process named like the most common holder. */
const HOLD_LOCK = `
  $0 = "unattended-upgr"; $| = 1;
  use Fcntl;
  sysopen(my $file, "/var/lib/dpkg/lock-frontend", O_RDWR | O_CREAT, 0640) or die $!;
  my $lock = pack("ssx4qqlx4", F_WRLCK, 0, 0, 0, 0);
  fcntl($file, F_SETLK, $lock) or die $!;
  print "$$\\n";
  1 while <STDIN>;`;

/** Makes another process hold dpkg's lock until the repair, or the end of this process. */
export async function holdDpkgLock(host: LabHost): Promise<{ pid: number; release: Repair }> {
  const holder = execa('docker', ['exec', '-i', host.container, 'perl', '-e', HOLD_LOCK], { reject: false });
  const pid = await new Promise<number>((resolve, reject) => {
    createInterface(holder.stdout).once('line', (line) => resolve(Number(line)));
    holder.then(
      ({ stderr }) => reject(new Error(`${host.name}: dpkg's lock can't be taken: ${stderr}`)),
      reject,
    );
  });
  return {
    pid,
    release: async () => {
      holder.stdin.end();
      await holder;
    },
  };
}

const DPKG_HOOK = '/etc/dpkg/dpkg.cfg.d/95hold';

/**
 * Stops the next dpkg that unpacks or configures packages at its end, with its lock held and the packages half
 * installed, until the repair. `begun` reports when it has stopped.
 */
export async function holdDpkg(host: LabHost): Promise<{ begun: () => Promise<boolean>; release: Repair }> {
  const mark = '/run/dpkg-held';
  await host.run(`rm -f ${mark}; cat >${DPKG_HOOK}`, {
    input: `post-invoke=: >${mark}; while [ -e ${DPKG_HOOK} ]; do sleep 0.1; done\n`,
  });
  return {
    begun: async () => (await host.exec(`test -e ${mark}`)).code === 0,
    release: async () => {
      await host.run(`rm ${DPKG_HOOK}`);
    },
  };
}

/**
 * Leaves little space below a directory, which is created if necessary: mounts a small file system with its content.
 * The repair adds space; the file system stays mounted until the host ends.
 */
export async function fillDisk(host: LabHost, directory: string, freeKib: number): Promise<Repair> {
  const dir = quote(directory);
  await host.run(`set -e
    mkdir -p ${dir} /run/lab-disk
    used=$(du -sk ${dir} | cut -f1)
    mount -t tmpfs -o "mode=$(stat -c %a ${dir}),size=$((used + ${freeKib}))k" tmpfs /run/lab-disk
    cp -a ${dir}/. /run/lab-disk
    mount --move /run/lab-disk ${dir} 2>/dev/null || { mount --bind /run/lab-disk ${dir}; umount /run/lab-disk; }`);
  return async () => {
    await host.run(`mount -o remount,size=2g ${dir}`);
  };
}

/**
 * Shifts the host's clock for \`date\` only: hosts share the machine's clock, so the time of other programs and of
 * files does not change.
 */
export async function shiftClock(host: LabHost, seconds: number): Promise<Repair> {
  const wrapper = `#!/bin/sh
for word; do
  case $word in -d* | --date* | -f* | --file* | -r* | --reference* | -s* | --set*) exec /usr/bin/date "$@" ;; esac
done
exec /usr/bin/date -d '${seconds} seconds' "$@"
`;
  const file = '/usr/local/sbin/date';
  await host.run(`cat >${file} && chmod 755 ${file}`, { input: wrapper });
  return async () => {
    await host.run(`rm ${file}`);
  };
}
