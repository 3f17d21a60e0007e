/** Users of this machine, for running executors as the framework's user. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface UserIds {
  uid: number;
  gid: number;
}

/** Looks up a user in `/etc/passwd`, then in the system's name service. Undefined for an unknown user. */
export function findUser(name: string): UserIds | undefined {
  return parsePasswd(readFileSync('/etc/passwd', 'utf8'), name) ?? fromNameService(name);
}

function fromNameService(name: string): UserIds | undefined {
  if (name === '' || name.startsWith('-')) return undefined;
  const { status, stdout } = spawnSync('/usr/bin/getent', ['passwd', name], { encoding: 'utf8' });
  return status === 0 ? parsePasswd(stdout, name) : undefined;
}

function parsePasswd(text: string, name: string): UserIds | undefined {
  for (const line of text.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && uid !== undefined && gid !== undefined)
      return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
