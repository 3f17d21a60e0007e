/** Packages that hosts have before an installation, so that it has less to install. Each list is an image of hosts. */

const LIBRARIES = ['libsvn1', 'libapr1', 'libcurl4', 'libunwind8', 'libsasl2-modules'];

/** What an agent with Docker needs: only Mesos and the payload are left to install. */
export const AGENT_PACKAGES: readonly string[] = ['docker.io', 'iptables', 'libatomic1', ...LIBRARIES];

/** The same, and ZooKeeper. */
export const MEMBER_PACKAGES: readonly string[] = [...AGENT_PACKAGES, 'zookeeper'];

/** What Mesos needs, without Docker. */
export const MESOS_PACKAGES: readonly string[] = [...LIBRARIES, 'iptables'];
