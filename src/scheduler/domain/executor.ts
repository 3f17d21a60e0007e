import type { ExecutorInfo } from '../../mesos/types.ts';
import type { SharedExecutor } from './settings.ts';

/** Of the shared executor itself, on top of its tasks. */
const CPUS = 0.1;
const MEM_MIB = 32;
/** More than the ten seconds Docker gives a container to stop, or containers would be left behind. */
const SHUTDOWN_GRACE_SECONDS = 25;

/**
 * The shared Docker executor. Mesos refuses tasks whose ExecutorInfo differs in anything from that of the running
 * executor of the same id; hence the id holds a hash of all of it, and an upgrade or another role never collides.
 * @param sha256 of a text, as hexadecimal digits
 */
export function sharedExecutorOf(
  options: { path: string; cluster: string; role: string },
  sha256: (text: string) => string,
): SharedExecutor {
  const { path, cluster, role } = options;
  const common = { type: 'SCALAR', role: '*', allocation_info: { role } } as const;
  const info: Omit<ExecutorInfo, 'executor_id'> = {
    type: 'CUSTOM',
    name: 'mesosup docker',
    source: 'mesosup',
    command: { value: path, shell: true },
    resources: [
      { name: 'cpus', scalar: { value: CPUS }, ...common },
      { name: 'mem', scalar: { value: MEM_MIB }, ...common },
    ],
    labels: { labels: [{ key: 'mesosup.cluster', value: cluster }] },
    shutdown_grace_period: { nanoseconds: SHUTDOWN_GRACE_SECONDS * 1e9 },
  };
  const hash = sha256(canonicalJson(info)).slice(0, 12);
  // Ids name directories on agents: no slash of a nested role, no asterisk.
  const roleName = role === '*' ? 'default' : role.replaceAll(/[^\w.-]/g, '_');
  return { path, info, idPrefix: `mesosup-docker.${hash}.${roleName}` };
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
