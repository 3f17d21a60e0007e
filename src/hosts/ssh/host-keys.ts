/** Checks a host's key against the files of known hosts, and saves new keys if the policy allows it. */

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
  /** @throws HostError 'host-key' for a key that is not accepted */
  verify(key: Buffer): Promise<void>;
}

/** @throws HostError 'configuration' for an unreadable file of known hosts; a missing file is no error */
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
      if (!isNewKey(plan, verdict, key)) return;
      entries.push({
        file: '',
        line: 0,
        marker: 'none',
        names: name,
        type: keyType(key),
        key: key.toString('base64'),
      });
      await saveKey(plan, key, notice);
    },
  };
}

/** Reads the host's files of known hosts. @throws HostError 'configuration' for an unreadable file; a missing file is no error */
export async function knownKeys({ host, hostKey }: ConnectionPlan): Promise<KnownKey[]> {
  const files = [...hostKey.userFiles, ...hostKey.globalFiles];
  return (await Promise.all(files.map((file) => readKeys(host, file)))).flat();
}

/** True for an accepted key that has to be saved. @throws HostError 'host-key' for a key that is not accepted */
function isNewKey(plan: ConnectionPlan, verdict: Verdict, key: Buffer): boolean {
  const { host } = plan;
  const { pinned, policy, name, userFiles } = plan.hostKey;
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  const refuse = (message: string, remedy: string) =>
    new HostError(host, 'host-key', `${host}: ${message}`, remedy);
  const at = (entry: KnownKey) => `${entry.file}, line ${entry.line}`;
  if (verdict.kind === 'revoked') {
    throw refuse(
      `its host key (${shown}) is revoked by ${at(verdict.entry)}`,
      'Do not connect. Log in to the host another way, for example at its console, and create new keys there with "ssh-keygen -A".',
    );
  }
  if (pinned !== null) {
    if (pinned === fingerprint(key)) return false;
    throw refuse(
      `its host key is ${shown}, but hostKey in the spec is ${pinned}`,
      'Another machine may be answering. If the new key is right, change hostKey in the spec.',
    );
  }
  const file = userFiles[0] ?? '~/.ssh/known_hosts';
  if (verdict.kind === 'known') return false;
  if (verdict.kind === 'changed') {
    const known = fingerprint(Buffer.from(verdict.entry.key, 'base64'));
    throw refuse(
      `its host key is ${shown}, but ${at(verdict.entry)} has ${verdict.entry.type} ${known}`,
      `Another machine may be answering, or the host was reinstalled. If the new key is right: ssh-keygen -R ${quote(name)} -f ${quote(verdict.entry.file)}`,
    );
  }
  if (policy === 'accept-new') return true;
  throw refuse(
    `its host key is unknown: ${shown}`,
    `Compare the fingerprint with the output of "ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub" on the host, then run: ${acceptLine(plan, file)} ; or accept the keys of all new hosts with --accept-new-host-keys.`,
  );
}

function shortType(key: Buffer): string {
  return keyType(key).replace(/^ssh-|-sha2-.*$/g, '');
}

/** A command that saves the host's key. ssh-keyscan can't go through a jump host, so ssh itself is used there. */
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

/** Appends the key to the user's first file. Like OpenSSH, connects even if the file can't be written. */
async function saveKey(plan: ConnectionPlan, key: Buffer, notice: (text: string) => void): Promise<void> {
  const { name, hash, userFiles } = plan.hostKey;
  const [file] = userFiles;
  const shown = `${plan.host}: new host key ${keyType(key)} ${fingerprint(key)}`;
  if (file === undefined) return notice(`${shown}, accepted but not saved: no file of known hosts is set`);
  const names = hash ? hashedName(name, randomBytes(20)) : name;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await appendLine(file, `${names} ${keyType(key)} ${key.toString('base64')}\n`);
    notice(`${shown}, saved in ${file}`);
  } catch (error) {
    notice(`${shown}, accepted but not saved: ${file}: ${(error as NodeJS.ErrnoException).code}`);
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
