/** Where programs of the system are: the PATH of root's scripts, wherever they are started from. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
