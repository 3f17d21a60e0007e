/** Paths of mesosup's files on a host. */

/** Directory of mesosup's records about the host. */
export const STATE = '/var/lib/mesosup';

/** The journal of the host's previous state: one JSON object a line, oldest first. */
export const JOURNAL = `${STATE}/journal.ndjson`;

/** Copies of files that mesosup replaced or removed, each named by its SHA-256. */
export const BACKUP = `${STATE}/backup`;

/** A directory for each run, with its script and its events. */
export const RUNS = `${STATE}/runs`;

/** The record of the run in progress. Removed at its end: a record without a lock belongs to a killed run. */
export const RUN = `${STATE}/run.json`;

/** Locked by the run's process as long as it lives. */
export const RUN_LOCK = `${STATE}/run.lock`;

/** Locked by a process that is about to start a run. */
export const START_LOCK = `${STATE}/start.lock`;

/** Files `NAME.inputs` with the digest of the inputs with which mesosup last started a service. */
export const SERVICES = `${STATE}/services`;

/** Exists while the cluster is to run on the host. */
export const STARTED = `${STATE}/started`;

/** Contains the cluster's name. */
export const CLUSTER = `${STATE}/cluster`;

/** The system's users and groups before mesosup, one a line. */
export const ACCOUNTS = `${STATE}/accounts`;

/** Exists if an apt source has changed since the package lists were fetched. */
export const LISTS_STALE = `${STATE}/lists-stale`;

/** Versions of packages before a run last changed them: lines `NAME VERSION`. */
export const FORMER_PACKAGES = `${STATE}/former-packages`;

/** What apt took: lines `NAME VERSION SHA256 SECONDS`, one for each package, with the time by the host's clock. */
export const INSTALLED_PACKAGES = `${STATE}/installed-packages`;

/** A file for each image that mesosup has loaded into Docker, named by the SHA-256 of its archive: `NAME ID`. */
export const IMAGES = `${STATE}/images`;

/** Exists while an upgrade has taken the host's agent out of service, and still has to put it back. */
export const AGENT_RETURNS = `${STATE}/agent-returns`;

/** Directory of the payload's versions, and of the link `current` to the version in use. */
export const PAYLOADS = '/opt/mesosup';

/**
 * File in a payload that bootstrap.sh or a package unpacked, with the archive's digest and size. The installer does not
 * change such a payload.
 */
export const RELEASED = 'archive.json';

/** Directory of uploaded files, each named by its SHA-256. */
export const UPLOADS = `${PAYLOADS}/.upload`;

/** Prevents package scripts from starting services. Exists only while packages are installed. */
export const START_POLICY = '/usr/sbin/policy-rc.d';

/** The second line of mesosup's policy. */
export const START_POLICY_MARK = '# mesosup: services start when their configuration is written';

/** Copy of the host's own policy, restored after the installation of packages. */
export const START_POLICY_SAVED = `${STATE}/policy-rc.d`;

/** The locks of dpkg and apt, in the order in which apt takes them. */
export const DPKG_LOCKS = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
] as const;
