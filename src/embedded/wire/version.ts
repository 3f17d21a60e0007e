/** The release whose HTTP API the embedded Mesos answers. */
export const MESOS_VERSION = '1.11.0';
