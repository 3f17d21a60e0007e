/** Images of hosts: minimal installations of a release by debootstrap. */

import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { docker, imageExists } from './docker.ts';

/** Packages besides the essential ones. Without Python, Node, Docker, curl and gnupg, which hosts don't need. */
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'openssh-server',
  'sudo',
  'ca-certificates',
  'iproute2',
];

/** Files that replace those of debootstrap. */
const FILES: Readonly<Record<string, string>> = {
  // The mirror's lists may be older than they say they may be; translated descriptions are of no use here.
  // These hosts live for minutes: dpkg need not wait for the disk after each file.
  'etc/dpkg/dpkg.cfg.d/90lab': 'force-unsafe-io\n',
  'etc/apt/apt.conf.d/90lab': 'Acquire::Check-Valid-Until "false";\nAcquire::Languages "none";\n',
};
/** Removed from the image: keys and ids, which each host makes itself, and caches. */
const REMOVED = [
  'etc/ssh/ssh_host_*',
  'etc/machine-id',
  'var/lib/dbus/machine-id',
  'var/cache/apt/*.bin',
  'var/cache/apt/archives/*.deb',
  'var/lib/apt/lists/*_*',
];
/** Timers that would take apt's lock at an arbitrary time. */
const MASKED = ['apt-daily.timer', 'apt-daily-upgrade.timer', 'e2scrub_all.timer', 'fstrim.timer'];

interface Extra {
  files: Readonly<Record<string, string>>;
  masked: readonly string[];
}

/** What a release needs besides, since its hosts are containers. */
const EXTRA: Readonly<Record<string, Extra>> = {
  trixie: {
    files: {
      // Docker 26 switches IPv6 off on interfaces without an address of it, by /proc/sys, which is read-only here.
      'etc/systemd/system/docker.service.d/lab.conf':
        '[Service]\nEnvironment=DOCKER_ALLOW_IPV6_ON_IPV4_INTERFACE=1\n',
    },
    // Kernel modules can't be loaded from a container.
    masked: ['systemd-modules-load.service'],
  },
};

function extraOf(codename: string): Extra {
  return EXTRA[codename] ?? { files: {}, masked: [] };
}

/** Where the tree is put together: memory, since debootstrap's dpkg waits for the disk after each package. */
const SIZE = '1g';

/** Returns the image's name, which contains a hash of its inputs. */
export function hostImageName(codename: string): string {
  const { files, masked } = extraOf(codename);
  const recipe = JSON.stringify([
    codename,
    PACKAGES,
    { ...FILES, ...files },
    REMOVED,
    [...MASKED, ...masked],
  ]);
  return `mesosup-lab/host:${codename}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`;
}

/**
 * Makes the image unless it exists.
 *
 * @param mirrorUrl of the release's main suite
 * @param directory for temporary files
 */
export async function ensureHostImage(
  codename: string,
  mirrorUrl: string,
  directory: string,
  say: (step: string) => void,
): Promise<string> {
  const name = hostImageName(codename);
  if (await imageExists(name)) return name;
  await removeOtherImages(codename, name);
  say(`building the hosts' image ${name} with debootstrap`);
  const root = await mkdtemp(path.join(directory, 'root-'));
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'tmpfs', root]);
  try {
    const include = `--include=${PACKAGES.join(',')}`;
    const { exitCode, all, shortMessage } = await execa(
      'debootstrap',
      ['--variant=minbase', include, codename, root, mirrorUrl],
      { all: true, reject: false, stdin: 'ignore', env: { LC_ALL: 'C.UTF-8' } },
    );
    if (exitCode !== 0) {
      const end = all.split('\n').slice(-20).join('\n');
      throw new Error(`${shortMessage}\n${end}\nwhat the lab needs is installed by ./bin/bootstrap.sh tools`);
    }
    await finish(root, extraOf(codename));
    await execa('tar', ['-C', root, '-c', '.'], { buffer: false }).pipe('docker', ['import', '-', name]);
  } finally {
    await execa('umount', ['-R', root]);
    await rm(root, { recursive: true });
  }
  return name;
}

async function finish(root: string, { files, masked }: Extra): Promise<void> {
  await execa({ cwd: root })`sh -c ${`rm -rf ${REMOVED.join(' ')}`}`;
  for (const [name, content] of Object.entries({ ...FILES, ...files })) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
    await chmod(path.join(root, name), 0o644);
  }
  // Empty, systemd makes a new one at each host's first boot.
  await writeFile(path.join(root, 'etc/machine-id'), '');
  for (const unit of [...MASKED, ...masked])
    await symlink('/dev/null', path.join(root, 'etc/systemd/system', unit));
}

/**
 * Removes the images of the release's earlier recipes, and those derived from them; the engine keeps what is in use.
 *
 * @param current another lab may be making it, or one from it, at the same time
 */
async function removeOtherImages(codename: string, current: string): Promise<void> {
  const names = await docker(
    'image',
    'ls',
    '--format',
    '{{.Repository}}:{{.Tag}}',
    '--filter',
    `reference=mesosup-lab/*:${codename}-*`,
  );
  const tag = (name: string) => name.split(':')[1] ?? '';
  for (const name of names.split('\n').filter(Boolean)) {
    if (tag(name).startsWith(tag(current))) continue;
    await execa('docker', ['image', 'rm', name], { reject: false });
  }
}
