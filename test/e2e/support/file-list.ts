/** Lists a host's files with hashes, to check what an uninstall leaves behind. */

import type { LabHost } from '../../lab/host.ts';

/** Files that an uninstall can't or shouldn't restore. */
const EXCEPT = [
  // apt's and dpkg's own databases, caches and logs
  /^\/var\/(lib\/(apt|dpkg|systemd\/deb-systemd-helper-(enabled|masked)|ucf)|cache\/(apt|debconf|ldconfig|fontconfig|man))(\/|$)/,
  /^\/var\/log(\/|$)/,
  // dpkg's daily copies of its databases
  /^\/var\/backups(\/|$)/,
  // users that packages leave behind
  /^\/etc\/(passwd|group|shadow|gshadow|subuid|subgid)-?$/,
  /^\/etc\/\.pwd\.lock$/,
  /^\/etc\/ld\.so\.cache$/,
  // sudo's marker file in the user's home directory
  /\/\.sudo_as_admin_successful$/,
  // files that systemd writes while it runs
  /^\/var\/lib\/systemd(\/|$)/,
  // private directories of services, with new names after each boot
  /^\/var\/tmp\/systemd-private-/,
];

/** Type, mode, owner and content by path, without the times of directories. */
export async function fileList(host: LabHost): Promise<Map<string, string>> {
  const roots = '/bin /boot /etc /home /lib /lib64 /opt /root /sbin /srv /usr /var';
  const text = await host.run(`
    find ${roots} -xdev \\( -type f -o -type l -o -type d \\) -printf '%p\\t%y %m %u:%g %l\\n' | LC_ALL=C sort
    printf '\\0'
    find ${roots} -xdev -type f -print0 | xargs -0 sha256sum`);
  const [kinds = '', sums = ''] = text.split('\0');
  const list = new Map<string, string>();
  for (const line of kinds.split('\n').filter(Boolean)) {
    const [path = '', rest = ''] = line.split('\t');
    if (!EXCEPT.some((pattern) => pattern.test(path))) list.set(path, rest);
  }
  for (const line of sums.split('\n').filter(Boolean)) {
    const path = line.slice(66);
    const found = list.get(path);
    if (found !== undefined) list.set(path, `${found}${line.slice(0, 64)}`);
  }
  return list;
}

/** Paths that were added, removed or changed, each with the kind of difference. */
export function listDifference(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string> = new Map(),
): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)];
    if (was === is) return [];
    if (was === undefined) return [`+ ${path} ${is}`];
    return is === undefined ? [`- ${path} ${was}`] : [`~ ${path}: ${was} → ${is}`];
  });
}
