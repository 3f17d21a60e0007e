/** The release of Mesos whose HTTP API the embedded Mesos implements. */
export const MESOS_VERSION = '1.11.0';
