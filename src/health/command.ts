import type { CommandInfo } from '../mesos/types.ts';

/** The words of a command, the program first: `shell` is true by default, otherwise `arguments` is the whole argv. */
export function argvOf(command: CommandInfo): string[] {
  const { value = '', shell = true, arguments: argv = [] } = command;
  return shell ? ['/bin/sh', '-c', value] : [value, ...argv.slice(1)];
}
