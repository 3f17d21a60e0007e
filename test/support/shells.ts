/** The shells that hosts have as /bin/sh: that of Debian and Ubuntu, that of small systems, and bash where someone chose it. */
export const SHELLS = [
  ['dash', ['dash']],
  ['busybox sh', ['busybox', 'sh']],
  ['bash', ['bash', '--posix']],
] as const;
