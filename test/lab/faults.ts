/** What goes wrong on hosts. Power and network are the host's own methods; each fault here gives what repairs it. */

import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { quote } from '../../src/hosts/quote.ts';
import { docker } from './docker.ts';
import type { LabHost } from './host.ts';

export type Repair = () => Promise<void>;

/** All processes stand still, as under a stopped virtual machine; connections stay open and silent. */
export async function freeze(host: LabHost): Promise<Repair> {
  await docker('pause', host.container);
  return async () => {
    await docker('unpause', host.container);
  };
}

/** Whatever the host sends is lost: connections stay open, and new ones are neither taken nor refused. */
export async function silence(host: LabHost): Promise<Repair> {
  await host.run('ip rule add pref 1 blackhole');
  return async () => {
    await host.run('ip rule del pref 1');
  };
}

/** Every SSH connection to the host dies at once; what was started over it lives on. sshd takes new ones. */
export async function killConnections(host: LabHost): Promise<void> {
  await host.run(`main=$(systemctl show -P MainPID ssh)
    for dir in /proc/[0-9]*; do
      pid=\${dir#/proc/}
      case $(cat "$dir/comm" 2>/dev/null) in
        sshd*) [ "$pid" = "$main" ] || kill -9 "$pid" || : ;;
      esac
    done`);
}

/** Takes dpkg's lock as apt does, with fcntl, under the name of the culprit known best. */
const HOLD_LOCK = `
  $0 = "unattended-upgr"; $| = 1;
  use Fcntl;
  sysopen(my $file, "/var/lib/dpkg/lock-frontend", O_RDWR | O_CREAT, 0640) or die $!;
  my $lock = pack("ssx4qqlx4", F_WRLCK, 0, 0, 0, 0);
  fcntl($file, F_SETLK, $lock) or die $!;
  print "$$\\n";
  1 while <STDIN>;`;

/** Another process has dpkg's lock, until it is repaired or this process ends. */
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
 * The next dpkg that unpacks or configures packages stands still at its end, with its lock held and the packages half
 * installed, until that is repaired. `begun` tells when one does.
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
 * Little space is left below a directory, which is made if need be: a small file system with what is in it now is
 * mounted there. Repairing gives it space; it stays mounted until the host ends.
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
 * The host's clock is off, for whoever asks \`date\`: hosts share the machine's clock, so no process' own idea of the
 * time changes, nor what it stamps on files.
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
