import type { CommandInfo } from '../mesos/types.ts';

/** Returns a command's argv, starting with the program. If `shell` (default: true) is false, `arguments` is the argv. */
export function commandArgv(command: CommandInfo): string[] {
  const { value = '', shell = true, arguments: argv = [] } = command;
  return shell ? ['/bin/sh', '-c', value] : [value, ...argv.slice(1)];
}
