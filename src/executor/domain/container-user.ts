/** Resolves the user of a container, as `docker create --user` and `USER` of an image name it, to numbers. */

export interface UserIds {
  uid: number;
  gid: number;
}

/**
 * @param user `name`, `uid`, `name:group` or `uid:gid`; empty for root
 * @param passwd the image's `/etc/passwd`; undefined if it can't be read
 * @param group the image's `/etc/group`
 * @returns undefined if a name is not in the files. Docker then refuses to start the container
 */
export function resolveUser(
  user: string,
  passwd: string | undefined,
  group: string | undefined,
): UserIds | undefined {
  const [name = '', groupName] = user.split(':', 2);
  const entry = find(passwd, name === '' ? 'root' : name);
  const uid = entry?.[2] ?? (name === '' ? '0' : name);
  const gid = groupName ? (find(group, groupName)?.[2] ?? groupName) : (entry?.[3] ?? '0');
  return isId(uid) && isId(gid) ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

/** True if the ids don't depend on files of the image. */
export function isNumericUser(user: string): boolean {
  return user === '' || user === 'root' || /^\d+:\d+$/.test(user);
}

/** Finds an entry by its name or its number. Both files have the number in the third column. */
function find(text: string | undefined, wanted: string): string[] | undefined {
  const entries = (text ?? '').split('\n').map((line) => line.split(':'));
  return entries.find(([name]) => name === wanted) ?? entries.find(([, , id]) => id === wanted);
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1;
}
