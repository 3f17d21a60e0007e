/**
 * A host sees only cgroup v2, like a fresh Debian, independent of the machine; its systemd then neither attaches a
 * v1 controller nor makes the machine's /sys/fs/cgroup read-only, both of which would disturb the engine outside.
 * Where the machine's controllers are attached to v1, the inner hierarchy has none, and an inner Docker engine
 * ignores limits of memory and CPU. With only v1, systemd in a container would not be notified when a cgroup becomes
 * empty, and would wait 90 s for processes that have ended.
 */

import { mkdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';

/** The path at which engines expect v2 beside v1. Only there they make a separate cgroup for each container. */
const BESIDE_V1 = '/sys/fs/cgroup/unified';

/** Mounts v2 at the path that the engine expects, if it is not mounted. */
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
