/**
 * The machine's cgroup v1 hierarchies. A host's systemd attaches controllers that nobody attached yet, and from then
 * on the Docker engine no longer notices that a container ran out of memory if one of them is mounted nowhere on the
 * machine. So all are mounted before the first host boots, and a host finds nothing left to attach. Each host gets a
 * /sys/fs/cgroup of its own with these hierarchies in it: systemd makes that read-only, and it must not be the machine's.
 */

import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { execa } from 'execa';

const ROOT = '/sys/fs/cgroup';
/** Controllers that systemd wants in one hierarchy, where they are still free to be put together. */
const TOGETHER = ['net_cls,net_prio', 'cpu,cpuacct'];

/** Mounts what is missing. @returns docker's flags that give a host its hierarchies */
export async function mountCgroups(): Promise<string[]> {
  if (existsSync(`${ROOT}/cgroup.controllers`)) return ['--cgroupns=host', '-v', `${ROOT}:${ROOT}:rw`];
  const read = (file: string) => readFile(file, 'utf8');
  for (const controllers of hierarchies(await read('/proc/cgroups'), await read('/proc/self/cgroup'))) {
    const [first = ''] = controllers.split(',');
    const mounted = mounts(await read('/proc/mounts'));
    if (!mounted.some(({ options }) => options.includes(first))) await mount(controllers);
  }
  const points = mounts(await read('/proc/mounts')).map(({ point }) => point);
  return ['--cgroupns=host', '--tmpfs', ROOT, ...points.flatMap((point) => ['-v', `${point}:${point}:rw`])];
}

/** The names under which each v1 hierarchy is to be mounted: those attached already, then those still free. */
export function hierarchies(procCgroups: string, selfCgroup: string): string[] {
  const attached = selfCgroup
    .split('\n')
    .map((line) => line.split(':')[1] ?? '')
    .filter(Boolean);
  const bound = new Set(attached.flatMap((names) => names.split(',')));
  const free = procCgroups
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.split(/\s+/))
    .filter(([name, , , enabled]) => name && enabled === '1' && !bound.has(name))
    .map(([name]) => name ?? '');
  const together = TOGETHER.filter((pair) => pair.split(',').every((name) => free.includes(name)));
  const single = free.filter((name) => !together.some((pair) => pair.split(',').includes(name)));
  return [...new Set([...attached, 'name=systemd', ...together, ...single])];
}

function mounts(procMounts: string): { point: string; options: string[] }[] {
  return procMounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, point, type]) => type === 'cgroup' && point?.startsWith(`${ROOT}/`))
    .map(([, point, , options]) => ({ point: point ?? '', options: (options ?? '').split(',') }));
}

async function mount(controllers: string): Promise<void> {
  await execa('mount', ['-o', 'remount,rw', ROOT], { reject: false });
  const name = controllers.replace(/^name=/, '');
  const point = `${ROOT}/${name}`;
  await mkdir(point, { recursive: true });
  // A hierarchy with a name of its own has no controllers.
  const options = name === controllers ? controllers : `none,${controllers}`;
  await execa('mount', ['-t', 'cgroup', '-o', options, 'cgroup', point]);
  if (name.includes(',')) {
    for (const alias of name.split(',')) await symlink(name, `${ROOT}/${alias}`).catch(() => {});
  }
}
