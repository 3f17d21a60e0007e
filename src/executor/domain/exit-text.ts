/** Describes the end of a container. */

/** A shell, and Docker, report the end by a signal as this number plus the signal's. */
const SIGNAL_BASE = 128;

/** Exit code of a process that SIGKILL ended: the kernel when memory runs out, Docker, or the end of its container. */
export const KILLED = SIGNAL_BASE + 9;

/** Signals of Linux on x86 and ARM that end a process or may be sent to end it. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  31: 'SIGSYS',
};

/** @returns for example `Container exited with status 3`, or `… with status 137 (SIGKILL)` */
export function exitText(exitCode: number): string {
  const signal = SIGNALS[exitCode - SIGNAL_BASE];
  return `Container exited with status ${exitCode}${signal === undefined ? '' : ` (${signal})`}`;
}
