/** Where mesosup keeps what on a host. */

/** All that this program remembers about a host. */
export const STATE = '/var/lib/mesosup';

/** What was there before us: one JSON object a line, oldest first. */
export const JOURNAL = `${STATE}/journal.ndjson`;

/** Contents of files that we replaced or removed, each named by its SHA-256. */
export const BACKUP = `${STATE}/backup`;

/** A directory for each run, with its script and its events. */
export const RUNS = `${STATE}/runs`;

/** The run under way; removed at its end, so that a run without a lock was killed. */
export const RUN = `${STATE}/run.json`;

/** Held by the run's process as long as it lives. */
export const RUN_LOCK = `${STATE}/run.lock`;

/** Held by a process that looks for a run, and starts one. */
export const START_LOCK = `${STATE}/start.lock`;

/** `NAME.inputs`: the digest of what a service read when we last started it. */
export const SERVICES = `${STATE}/services`;

/** There as long as the cluster is meant to run here. */
export const STARTED = `${STATE}/started`;

/** Holds the cluster's name. */
export const CLUSTER = `${STATE}/cluster`;

/** The system's users and groups before us, each a line. */
export const ACCOUNTS = `${STATE}/accounts`;

/** There while an apt source has changed and the package lists were not fetched since. */
export const LISTS_STALE = `${STATE}/lists-stale`;

/** Versions of the payload, and `current`, the link to the one in use. */
export const PAYLOADS = '/opt/mesosup';

/**
 * Beside a payload that bootstrap.sh or a package unpacked: the archive's sum and size. The installer leaves such a
 * directory alone.
 */
export const RELEASED = 'archive.json';

/** Files sent here, each named by its SHA-256. */
export const UPLOADS = `${PAYLOADS}/.upload`;

/** Keeps package scripts from starting services while packages are installed; it is there for so long only. */
export const START_POLICY = '/usr/sbin/policy-rc.d';

/** The second line of our own policy. */
export const START_POLICY_MARK = '# mesosup: services start when their configuration is written';

/** Where the policy that was there before waits for its return. */
export const START_POLICY_SAVED = `${STATE}/policy-rc.d`;

/** The locks of dpkg and apt, in the order in which they are taken. */
export const DPKG_LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
] as const;
