/**
 * What an OpenSSH client needs to reach a lab's hosts: key pair, known_hosts and configuration, laid out as in a home
 * directory.
 */

import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

/** The connection to a host. */
export interface Reach {
  name: string;
  address: string;
  user: string;
  /** The host's public key in the form of known_hosts: type and key. */
  hostKey: string;
  /** The name of the host to go through. */
  jump?: string;
}

export interface SshFiles {
  /** Stands for a home directory: the others are in its `.ssh`. */
  home: string;
  config: string;
  knownHosts: string;
  identity: string;
}

/** Returns the paths without reading or writing files. */
export function sshFiles(directory: string): SshFiles {
  const home = path.join(directory, 'home');
  const file = (name: string) => path.join(home, '.ssh', name);
  return { home, config: file('config'), knownHosts: file('known_hosts'), identity: file('id_ed25519') };
}

/** Makes an ed25519 key pair without a pass phrase. @returns the public key as type and key */
export async function makeKey(file: string, comment: string): Promise<string> {
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  const { stdout } = await execa('ssh-keygen', ['-y', '-f', file]);
  return stdout.split(' ').slice(0, 2).join(' ');
}

/** Makes the directory and the client's key. @returns the public key */
export async function makeClientKey(files: SshFiles): Promise<string> {
  await mkdir(path.dirname(files.config), { recursive: true, mode: 0o700 });
  return makeKey(files.identity, 'lab');
}

export async function writeSshFiles(files: SshFiles, hosts: readonly Reach[]): Promise<void> {
  await writeFile(files.knownHosts, hosts.map((h) => `${h.address} ${h.hostKey}\n`).join(''));
  await writeFile(files.config, sshConfig(files, hosts));
  await chmod(files.config, 0o600);
}

function sshConfig(files: SshFiles, hosts: readonly Reach[]): string {
  const blocks = hosts.map((h) =>
    [
      `Host ${h.name}`,
      `  HostName ${h.address}`,
      `  User ${h.user}`,
      ...(h.jump === undefined ? [] : [`  ProxyJump ${h.jump}`]),
      '',
    ].join('\n'),
  );
  return [
    ...blocks,
    'Host *',
    `  IdentityFile ${files.identity}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${files.knownHosts}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '',
  ].join('\n');
}
