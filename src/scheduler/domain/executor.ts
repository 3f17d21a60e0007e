import { canonicalJson } from '../../json.ts';
import type { ExecutorInfo } from '../../mesos/types.ts';
import { RELEASE } from '../../release.ts';
import type { SharedExecutor } from './settings.ts';

/**
 * Resources of the shared executor itself, in addition to those of its tasks. `npm run bench:executor` measures its memory:
 * an agent with cgroups/mem ends an executor that needs more than these and its tasks' together.
 */
const CPUS = 0.1;
const MEM_MIB = 64;
/** Longer than Docker's 10 s for stopping a container, or containers would be left behind. */
const SHUTDOWN_GRACE_SECONDS = 25;

/**
 * Describes the shared Docker executor. Mesos rejects a task if its ExecutorInfo differs in any way from that of the
 * running executor with the same id. So the id contains a hash of the ExecutorInfo, and upgrades or other roles never
 * collide. It includes the release: an executor of an older one keeps its tasks, but gets none that it may not understand.
 * @param sha256 hashes a text, returns hexadecimal digits
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
    labels: {
      labels: [
        { key: 'mesosup.cluster', value: cluster },
        { key: 'mesosup.release', value: RELEASE },
      ],
    },
    shutdown_grace_period: { nanoseconds: SHUTDOWN_GRACE_SECONDS * 1e9 },
  };
  const hash = sha256(canonicalJson(info)).slice(0, 12);
  // The id is a directory name on agents, so it can't contain the slash of a nested role, nor an asterisk.
  const roleName = role === '*' ? 'default' : role.replaceAll(/[^\w.-]/g, '_');
  return { path, info, idPrefix: `mesosup-docker.${hash}.${roleName}` };
}
