/** Checks a host's key against the files of known hosts, and writes a new one down where that is wanted. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { HostError } from '../host.ts';
import { quote } from '../quote.ts';
import { sshCommandLine } from './command-line.ts';
import {
  fingerprint,
  type HostKeyAlgorithm,
  hashedName,
  hostKeyAlgorithms,
  judge,
  type KnownKey,
  keyType,
  parseKnownHosts,
  type Verdict,
} from './known-hosts.ts';
import type { ConnectionPlan } from './route.ts';

export interface HostKeyCheck {
  readonly algorithms: HostKeyAlgorithm[];
  /** @throws HostError 'host-key' for a key that won't do */
  verify(key: Buffer): Promise<void>;
}

/** @throws HostError 'configuration' for a file of known hosts that is there and can't be read */
export async function hostKeyCheck(
  plan: ConnectionPlan,
  notice: (text: string) => void,
): Promise<HostKeyCheck> {
  const { name } = plan.hostKey;
  const entries = await knownKeys(plan);
  return {
    algorithms: hostKeyAlgorithms(entries, name),
    async verify(key) {
      const verdict = judge(entries, name, key);
      const accept = admits(plan, verdict, key);
      if (!accept) return;
      entries.push({
        file: '',
        line: 0,
        marker: 'none',
        names: name,
        type: keyType(key),
        key: key.toString('base64'),
      });
      await writeDown(plan, key, notice);
    },
  };
}

/** What the host's files of known hosts hold. @throws HostError 'configuration' for one that is there and can't be read */
export async function knownKeys({ host, hostKey }: ConnectionPlan): Promise<KnownKey[]> {
  const files = [...hostKey.userFiles, ...hostKey.globalFiles];
  return (await Promise.all(files.map((file) => readKeys(host, file)))).flat();
}

/** Whether the key is to be written down. @throws HostError 'host-key' when it won't do */
function admits(plan: ConnectionPlan, verdict: Verdict, key: Buffer): boolean {
  const { host } = plan;
  const { pinned, policy, name, userFiles } = plan.hostKey;
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  const refuse = (message: string, remedy: string) =>
    new HostError(host, 'host-key', `${host}: ${message}`, remedy);
  const at = (entry: KnownKey) => `${entry.file}, line ${entry.line}`;
  if (verdict.kind === 'revoked') {
    throw refuse(
      `its host key (${shown}) is revoked by ${at(verdict.entry)}`,
      'Do not connect. Give the host new keys with "ssh-keygen -A" there, over another way in.',
    );
  }
  if (pinned !== null) {
    if (pinned === fingerprint(key)) return false;
    throw refuse(
      `its host key is ${shown}, but only ${pinned} is wanted`,
      'Find out why: another machine may answer there. If the new key is right, change hostKey in the spec.',
    );
  }
  const file = userFiles[0] ?? '~/.ssh/known_hosts';
  if (verdict.kind === 'known') return false;
  if (verdict.kind === 'changed') {
    const known = fingerprint(Buffer.from(verdict.entry.key, 'base64'));
    throw refuse(
      `its host key is ${shown}, but ${at(verdict.entry)} says ${verdict.entry.type} ${known}`,
      `Another machine may answer there, or the host was set up anew. If the new key is right: ssh-keygen -R ${quote(name)} -f ${quote(verdict.entry.file)}`,
    );
  }
  if (policy === 'accept-new') return true;
  throw refuse(
    `its host key is not known yet: ${shown}`,
    `Compare the fingerprint with the host's ("ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub" there), then: ${acceptLine(plan, file)} ; or accept the keys of new hosts with --accept-new-host-keys.`,
  );
}

function shortType(key: Buffer): string {
  return keyType(key).replace(/^ssh-|-sha2-.*$/g, '');
}

/** The command that asks OpenSSH to take the key; ssh-keyscan can't go through another host. */
function acceptLine(plan: ConnectionPlan, file: string): string {
  const { hostname, port } = plan;
  if (plan.via) return `${sshCommandLine(plan, ['-o', 'StrictHostKeyChecking=accept-new'])} true`;
  const shownFile = /^[\w@%+=:,./~-]+$/.test(file) ? file : quote(file);
  return `ssh-keyscan${port === 22 ? '' : ` -p ${port}`} ${quote(hostname)} >>${shownFile}`;
}

async function readKeys(host: string, file: string): Promise<KnownKey[]> {
  try {
    return parseKnownHosts(file, await readFile(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new HostError(
      host,
      'configuration',
      `${file} can't be read: ${code}`,
      `Make ${file} readable.`,
      error,
    );
  }
}

/** Appends the key to the user's first file. That it can't be written is no reason not to connect, as in OpenSSH. */
async function writeDown(plan: ConnectionPlan, key: Buffer, notice: (text: string) => void): Promise<void> {
  const { name, hash, userFiles } = plan.hostKey;
  const [file] = userFiles;
  const shown = `${plan.host}: new host key ${keyType(key)} ${fingerprint(key)}`;
  if (file === undefined) return notice(`${shown}, accepted and nowhere written down`);
  const names = hash ? hashedName(name, randomBytes(20)) : name;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await appendLine(file, `${names} ${keyType(key)} ${key.toString('base64')}\n`);
    notice(`${shown}, written to ${file}`);
  } catch (error) {
    notice(`${shown}, accepted but not written down: ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

async function appendLine(file: string, line: string): Promise<void> {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const last = Buffer.from('\n');
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    await handle.appendFile(last.toString() === '\n' ? line : `\n${line}`);
  } finally {
    await handle.close();
  }
}
