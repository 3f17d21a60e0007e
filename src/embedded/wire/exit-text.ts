/** Describes the end of a process in Mesos' words. */

/** Texts of strsignal(3). Other signals are shown by name. */
const SIGNAL_TEXT: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGQUIT: 'Quit',
  SIGILL: 'Illegal instruction',
  SIGABRT: 'Aborted',
  SIGBUS: 'Bus error',
  SIGFPE: 'Floating point exception',
  SIGKILL: 'Killed',
  SIGSEGV: 'Segmentation fault',
  SIGPIPE: 'Broken pipe',
  SIGALRM: 'Alarm clock',
  SIGTERM: 'Terminated',
  SIGUSR1: 'User defined signal 1',
  SIGUSR2: 'User defined signal 2',
};

/** `exited with status 3`, `terminated with signal Killed` */
export function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `terminated with signal ${SIGNAL_TEXT[signal] ?? signal}`;
  return `exited with status ${code ?? 'unknown'}`;
}
