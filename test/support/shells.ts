/** Shells that may be /bin/sh on hosts: dash (Debian, Ubuntu), busybox (small systems), and bash (by choice). */
export const SHELLS = [
  ['dash', ['dash']],
  ['busybox sh', ['busybox', 'sh']],
  ['bash', ['bash', '--posix']],
] as const;
