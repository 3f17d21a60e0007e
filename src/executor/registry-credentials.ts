/** Finds the credentials for the registry of an image. */

import { closeSync, fstatSync, readFileSync, readSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { DockerError } from '../docker/connection.ts';
import type { RegistryAuth } from '../docker/registry-auth.ts';
import { OTHERS } from './agent-policy.ts';
import { runCredentialHelper } from './credential-helper.ts';
import {
  type DockerConfig,
  hasAuths,
  parseDockerConfig,
  registryOf,
  serverAddress,
} from './domain/docker-config.ts';
import type { RegistryEntry } from './domain/image-policy.ts';
import { openContent } from './open-below.ts';

/** Bytes of a configuration at most. */
const MAX_BYTES = 1_000_000;
/** Files that the users of Marathon fetch for Docker's client, in its order. */
const FETCHED = [['.docker', 'config.json'], ['.dockercfg'], ['config.json']] as const;

export interface CredentialSources {
  /** The directories with the files that were fetched for the task. */
  readonly fetched: readonly string[];
  /** By registry, from the agent's policy. */
  readonly registries: ReadonlyMap<string, RegistryEntry>;
  /** The configuration of Docker's client on this host, an absolute path. */
  readonly hostConfig: string;
}

/** The configuration of Docker's client for this user. The environment, which a task may set, has no effect. */
export function ownDockerConfig(): string {
  return path.join(userInfo().homedir, '.docker', 'config.json');
}

/**
 * The task's own credentials come first, then those of the agent's policy, then those of the host.
 * @returns undefined if none of them has the registry, so that the image must be public
 * @throws DockerError if a source can't be read
 */
export async function findCredentials(
  image: string,
  { fetched, registries, hostConfig }: CredentialSources,
): Promise<RegistryAuth | undefined> {
  const registry = registryOf(image);
  // A helper is a program of the host, and answers with the host's credentials: none is run for a task's file.
  const own = readFetched(fetched)?.auths.get(registry);
  if (own) return own;
  const entry = registries.get(registry);
  if (entry) return authOf(entry, registry);
  const host = readHostConfig(hostConfig);
  const helper = host?.helpers.get(registry) ?? host?.store;
  const stored = helper && (await runCredentialHelper(helper, registry));
  return stored || host?.auths.get(registry);
}

function readFetched(directories: readonly string[]): DockerConfig | undefined {
  for (const directory of directories) {
    for (const names of FETCHED) {
      const content = readBelow(directory, names);
      // A file named config.json may be the app's own.
      if (content === undefined || (names[0] === 'config.json' && !hasAuths(content))) continue;
      return parsed(content, `the fetched file ${names.join('/')}`);
    }
  }
  return undefined;
}

/** @returns undefined if the file is missing. @throws DockerError if it is a link, or not a file */
function readBelow(directory: string, names: readonly string[]): string | undefined {
  let fd: number | undefined;
  try {
    fd = openContent(directory, names);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENOTDIR') {
      if (names[0] === 'config.json') return undefined;
      throw new DockerError(`the fetched file ${names.join('/')} is a link or lies behind one`, 0);
    }
    throw new DockerError(`the fetched file ${names.join('/')} can't be read: ${message}`, 0);
  }
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.alloc(MAX_BYTES);
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, MAX_BYTES, 0));
  } finally {
    closeSync(fd);
  }
}

function readHostConfig(file: string): DockerConfig | undefined {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new DockerError(`${file} on this agent can't be read: ${message}`, 0);
  }
  return parsed(content, `${file} on this agent`);
}

function parsed(content: string, name: string): DockerConfig {
  const config = parseDockerConfig(content);
  if ('problem' in config) throw new DockerError(`${name} ${config.problem}`, 0);
  return config;
}

function authOf(entry: RegistryEntry, registry: string): RegistryAuth {
  const serveraddress = serverAddress(registry);
  if ('identityToken' in entry) return { identitytoken: entry.identityToken, serveraddress };
  const { username } = entry;
  if ('password' in entry) return { username, password: entry.password, serveraddress };
  return { username, password: readPasswordFile(entry.passwordFile), serveraddress };
}

function readPasswordFile(file: string): string {
  try {
    const { mode } = statSync(file);
    if (mode & OTHERS) throw new Error(`other users can read it. Run: chmod 600 ${file}`);
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new DockerError(`the password file ${file} on this agent: ${(error as Error).message}`, 0);
  }
}
