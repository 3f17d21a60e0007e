/**
 * Reads the configuration of Docker's client for its credentials: `config.json`, and `.dockercfg` as it was before
 * Docker 1.7. Source: cli/config/configfile of docker/cli, and "docker login" in docs.docker.com.
 */

import type { RegistryAuth } from '../../docker/registry-auth.ts';
import { isJson, type Json, parseJson } from '../../json.ts';

/** Docker Hub. */
const HUB = 'docker.io';
const HUB_NAMES: ReadonlySet<string> = new Set([HUB, 'index.docker.io', 'registry-1.docker.io']);
/** The name of Docker Hub for its credentials. */
const HUB_ADDRESS = 'https://index.docker.io/v1/';

export interface DockerConfig {
  /** Credentials by registry. */
  readonly auths: ReadonlyMap<string, RegistryAuth>;
  /** Names of helper programs by registry: `ecr-login` for the program `docker-credential-ecr-login`. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper program for all other registries. */
  readonly store: string | undefined;
}

/** Returns the host of an image's registry, with its port. */
export function registryOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  // Docker since 24 also takes a word with capital letters for a host: no image has such a name.
  const isHost = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  return isHost ? registryNamed(first) : HUB;
}

/** Returns the host in the address of a registry: `https://index.docker.io/v1/` is `docker.io`. */
export function registryNamed(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/s, '');
  return HUB_NAMES.has(host) ? HUB : host;
}

/** The name of a registry for Docker and for the helper programs. */
export function serverAddress(registry: string): string {
  return registry === HUB ? HUB_ADDRESS : registry;
}

/** @returns the problem, without any content of the file, since that may be secret */
export function parseDockerConfig(content: string): DockerConfig | { problem: string } {
  const config = parseJson(content);
  if (!isJson(config)) return { problem: 'is not a JSON object' };
  const isLegacy = config.auths === undefined && Object.values(config).some(isEntry);
  const entries = isLegacy ? config : config.auths;
  if (entries !== undefined && !isJson(entries)) return { problem: 'auths must be an object' };
  const auths = new Map<string, RegistryAuth>();
  for (const [address, entry] of Object.entries(entries ?? {})) {
    const registry = registryNamed(address);
    const auth = isJson(entry) ? readEntry(entry, registry) : undefined;
    if (auth === undefined) return { problem: `auths of "${registry}" must be base64 of USER:PASSWORD` };
    // The client writes an empty entry for a registry whose credentials a helper has.
    if (auth !== 'none' && (!auths.has(registry) || address === registry)) auths.set(registry, auth);
  }
  const helpers = isJson(config.credHelpers) ? Object.entries(config.credHelpers) : [];
  return {
    auths,
    helpers: new Map(
      helpers.flatMap(([address, name]) =>
        typeof name === 'string' ? [[registryNamed(address), name]] : [],
      ),
    ),
    store: typeof config.credsStore === 'string' && config.credsStore !== '' ? config.credsStore : undefined,
  };
}

/** True if the content is a client's configuration with credentials, and not another file named `config.json`. */
export function hasAuths(content: string): boolean {
  const config = parseJson(content);
  return isJson(config) && isJson(config.auths);
}

function isEntry(value: unknown): boolean {
  return isJson(value) && typeof value.auth === 'string';
}

function readEntry(entry: Json, registry: string): RegistryAuth | 'none' | undefined {
  const serveraddress = serverAddress(registry);
  if (isFilled(entry.identitytoken)) return { identitytoken: entry.identitytoken, serveraddress };
  if (isFilled(entry.registrytoken)) return { registrytoken: entry.registrytoken, serveraddress };
  if (isFilled(entry.auth)) {
    const [, username, password] =
      /^([^:]+):(.*?)\0*$/s.exec(Buffer.from(entry.auth, 'base64').toString()) ?? [];
    if (username === undefined || password === undefined) return undefined;
    return { username, password, serveraddress };
  }
  if (!isFilled(entry.username)) return 'none';
  return {
    username: entry.username,
    password: isFilled(entry.password) ? entry.password : '',
    serveraddress,
  };
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/**
 * Reads the answer of a helper program to `get`. The user `<token>` stands for an identity token.
 * Source: github.com/docker/docker-credential-helpers, README.
 */
export function parseHelperAnswer(answer: string, registry: string): RegistryAuth | undefined {
  const found = parseJson(answer);
  if (!isJson(found) || !isFilled(found.Secret) || typeof found.Username !== 'string') return undefined;
  const serveraddress = serverAddress(registry);
  if (found.Username === '<token>') return { identitytoken: found.Secret, serveraddress };
  return { username: found.Username, password: found.Secret, serveraddress };
}
