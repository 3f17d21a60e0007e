/**
 * Opens files below a directory without following a symbolic link, since a container may replace its files by links to
 * files of the host. Each directory is opened through the descriptor of its parent, so that none can be exchanged in
 * between.
 */

import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';

/** Names a file without opening it. The number is that of Linux on x86 and ARM; Node has no name for it. */
const O_PATH = 0o10000000;
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * @param root a directory that only its owner can change; may itself be reached through links
 * @param names the directories below it and the file, each one path segment
 * @param flags of open(2); O_NOFOLLOW is added
 * @returns a descriptor, which the caller closes
 * @throws ELOOP or ENOTDIR if one of them is a link; the other errors of open(2)
 */
export function openBelow(root: string, names: readonly string[], flags: number, mode = 0o644): number {
  const last = names.at(-1);
  if (last === undefined) return openSync(root, flags | constants.O_DIRECTORY);
  return inDirectory(root, names.slice(0, -1), (directory) =>
    openSync(`${directory}/${segment(last)}`, flags | constants.O_NOFOLLOW, mode),
  );
}

/**
 * Opens a regular file or a directory for reading. Anything else is not even opened: a container may create the node of a
 * device, and to open some devices has an effect, as with a watchdog that then resets the machine.
 * @param root, names as for `openBelow`
 * @returns undefined if it is something else, such as a device, a named pipe or a socket
 * @throws as `openBelow`
 */
export function openContent(root: string, names: readonly string[]): number | undefined {
  const named = openBelow(root, names, O_PATH);
  try {
    const info = fstatSync(named);
    // With O_PATH, the link itself is opened.
    if (info.isSymbolicLink())
      throw Object.assign(new Error('ELOOP: a link is not followed'), { code: 'ELOOP' });
    if (!info.isFile() && !info.isDirectory()) return undefined;
    return openSync(`/proc/self/fd/${named}`, constants.O_RDONLY);
  } finally {
    closeSync(named);
  }
}

/** Creates the directories that are missing. @throws as `openBelow` */
export function makeBelow(root: string, names: readonly string[], mode = 0o755): void {
  for (const [i, name] of names.entries()) {
    inDirectory(root, names.slice(0, i), (directory) => {
      const path = `${directory}/${segment(name)}`;
      try {
        mkdirSync(path, { mode });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        closeSync(openSync(path, DIRECTORY));
      }
    });
  }
}

/**
 * Calls `use` with a path of the directory that stays valid while `use` runs. Only its last segment may be appended: that
 * segment is not protected against links.
 */
export function inDirectory<T>(root: string, names: readonly string[], use: (directory: string) => T): T {
  let fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (const name of names) {
      const next = openSync(`/proc/self/fd/${fd}/${segment(name)}`, DIRECTORY);
      closeSync(fd);
      fd = next;
    }
    return use(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function segment(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw new RangeError(`"${name}" is not a file name`);
}
