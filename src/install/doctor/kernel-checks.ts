/** Looks for faults that the kernel has logged. */

import { count } from '../../text/count.ts';
import { type Finding, finding, type Patient } from './finding.ts';

interface KernelFault {
  /** A regular expression that grep -E and JavaScript understand in the same way. */
  readonly pattern: string;
  readonly check: string;
  readonly severity: Finding['severity'];
  /** @param times for example "2 times" */
  readonly message: (times: string) => string;
  readonly remedy: string;
}

/** Memory that a container or a task may not exceed has other words: "Memory cgroup out of memory". */
export const KERNEL_FAULTS: readonly KernelFault[] = [
  {
    pattern: 'Out of memory: Kill',
    check: 'out-of-memory',
    severity: 'warning',
    message: (times) =>
      `the host ran out of memory in the last 24 hours, and the kernel killed processes ${times}`,
    remedy:
      'Find what needs the memory: ps -eo pid,rss,comm --sort=-rss | head  If it is tasks, let the agent offer less: resources: { mem: "…" } of the host in the cluster file',
  },
  {
    pattern:
      'I/O error, dev (s|v|xv|h)d[a-z]|I/O error, dev (nvme|mmcblk|md|dm-)[0-9]|[Mm]edium Error|EXT4-fs error|EXT4-fs .*Remounting filesystem read-only|XFS .*(metadata I/O error|Corruption|has been shut down)|BTRFS (error|critical)|nvme[0-9].*controller is down',
    check: 'disk-errors',
    severity: 'error',
    message: (times) => `the kernel reported errors of a disk or a file system ${times} in the last 24 hours`,
    remedy:
      'Save the data of this host, and check the disk: smartctl -a /dev/DISK  Before it is replaced: mesosup node drain HOST',
  },
  {
    pattern: 'nf_conntrack: table full',
    check: 'conntrack',
    severity: 'error',
    message: (times) =>
      `the kernel dropped packets ${times} in the last 24 hours, since its table of connections is full`,
    remedy: 'Make it larger: sysctl -w net.netfilter.nf_conntrack_max=262144  Keep it in /etc/sysctl.d.',
  },
];

/** Lines that are shown. */
const LAST_LINES = 5;

export function kernel({ host, seen }: Patient): Finding[] {
  return KERNEL_FAULTS.flatMap(({ pattern, check, severity, message, remedy }) => {
    const found = (seen.kernel ?? []).filter((line) => new RegExp(pattern).test(line));
    if (found.length === 0) return [];
    return [
      finding(host.name, check, message(count(found.length, 'time')), remedy.replaceAll('HOST', host.name), {
        severity,
        evidence: found.slice(-LAST_LINES),
      }),
    ];
  });
}
