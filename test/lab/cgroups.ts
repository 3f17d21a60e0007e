/**
 * A host sees cgroup v2 alone, as a fresh Debian does, whatever the machine has; its systemd then neither attaches a
 * v1 controller nor makes the machine's /sys/fs/cgroup read-only, both of which would disturb the engine outside.
 * Where the machine's controllers are attached to v1, the inner hierarchy has none, and an inner Docker engine
 * ignores limits of memory and CPU. What v1 alone would cost: systemd in a container isn't told there that a cgroup has
 * become empty, and waits 90 s for processes that are gone.
 */

import { mkdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** Where engines look for v2 beside v1: only there do they make each container a cgroup of its own in it. */
const BESIDE_V1 = '/sys/fs/cgroup/unified';

/** Mounts v2 where the engine looks for it, if it is mounted nowhere. */
export async function mountCgroup2(): Promise<void> {
  const mounts = await readFile('/proc/mounts', 'utf8');
  if (/ (\/sys\/fs\/cgroup|\/sys\/fs\/cgroup\/unified) cgroup2 /.test(mounts)) return;
  await mkdir(BESIDE_V1, { recursive: true });
  await execa('mount', ['-t', 'cgroup2', 'cgroup2', BESIDE_V1]);
}

/** A host's first program: mounts its own part of v2, then becomes systemd. */
export const INIT = [
  'sh',
  '-c',
  'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec /lib/systemd/systemd',
];
