/**
 * Mesos' systemd support (`--systemd_enable_support`, on by default): under systemd, a real agent needs systemd's cgroup
 * v1 hierarchy for its executors, and refuses to start without it. So it fails on every host that has only cgroups v2.
 * Source: linux/systemd.cpp and linux/cgroups.cpp of Mesos 1.11.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

export interface SystemdPlaces {
  /** `--systemd_runtime_directory`. */
  readonly runtimeDirectory: string;
  /** `--cgroups_hierarchy`. */
  readonly hierarchy: string;
  /** Default: /sbin/init. */
  readonly init?: string;
  /** Default: /proc/mounts. */
  readonly mounts?: string;
}

/** Returns the reason why an agent with systemd support can't start here, in Mesos' words; undefined if it can. */
export function systemdProblem(places: SystemdPlaces): string | undefined {
  const { runtimeDirectory, hierarchy, init = '/sbin/init', mounts = '/proc/mounts' } = places;
  if (!isSystemd(init)) return undefined;
  const failed = 'Failed to initialize systemd: ';
  if (!existsSync(runtimeDirectory)) {
    return `${failed}Failed to locate systemd runtime directory: ${runtimeDirectory}`;
  }
  const wanted = join(hierarchy, 'systemd');
  const isMounted = readFileSync(mounts, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .some(([, at, type]) => at === wanted && type === 'cgroup');
  if (isMounted) return undefined;
  return `${failed}Failed to locate systemd cgroups hierarchy: '${wanted}' is not a valid hierarchy`;
}

/** True if the init program is systemd, even if it does not run. */
function isSystemd(init: string): boolean {
  try {
    const version = execFileSync(realpathSync(init), ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /^systemd \d/.test(version);
  } catch {
    return false;
  }
}
