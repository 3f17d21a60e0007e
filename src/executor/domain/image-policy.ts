/** The keys of the agent's policy that concern images: credentials, pulls and the clean-up. */

import { isJson } from '../../json.ts';
import { registryNamed } from './docker-config.ts';
import {
  flag,
  listOf,
  notAKey,
  type ObjectOf,
  objectOf,
  type Shape,
  text,
  wholeNumber,
} from './json-shape.ts';
import { DEFAULT_PULL, type PullSettings } from './pull-failure.ts';

/** The credentials of one registry. */
export type RegistryEntry =
  | { readonly username: string; readonly password: string }
  | { readonly username: string; readonly passwordFile: string }
  | { readonly identityToken: string };

const registry: Shape<RegistryEntry> = {
  problem: (value, path) => {
    if (!isJson(value)) return `${path} must be an object`;
    const keys = Object.keys(value).sort().join(', ');
    if (!['password, username', 'passwordFile, username', 'identityToken'].includes(keys)) {
      return `${path} must have username with password or passwordFile, or identityToken alone`;
    }
    const empty = Object.keys(value).find((key) => typeof value[key] !== 'string' || value[key] === '');
    if (empty !== undefined) return `${path}.${empty} must be a string`;
    const { passwordFile } = value;
    if (typeof passwordFile === 'string' && !passwordFile.startsWith('/'))
      return `${path}.passwordFile must be an absolute path`;
    return undefined;
  },
};

const registries: Shape<Record<string, RegistryEntry>> = {
  problem: (value, path) => {
    if (!isJson(value)) return `${path} must be an object`;
    for (const [host, entry] of Object.entries(value)) {
      if (!/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d+)?$/.test(host))
        return `${path}.${host} must be the host of a registry, for example registry.example:5000`;
      const problem = registry.problem(entry, `${path}.${host}`);
      if (problem !== undefined) return problem;
    }
    return undefined;
  },
};

const absolutePath: Shape<string> = {
  problem: (value, path) =>
    typeof value === 'string' && value.startsWith('/') ? undefined : `${path} must be an absolute path`,
};

const cleanUpFields = {
  /** False keeps all images. */
  cleanUp: { shape: flag, optional: true },
  /** Images without a container for this time are removed. */
  unusedDays: { shape: wholeNumber(1, 3650), optional: true },
  /** Above this share of the disk, the least recently used images are removed. */
  maxDiskPercent: { shape: wholeNumber(1, 100), optional: true },
  /** Names of images that stay, with a tag or for all tags; a `*` at the end stands for any text. */
  keep: { shape: listOf(text), optional: true },
} as const;

/** Part of the policy's fields. */
export const imagePolicyFields = {
  /** By host and port; `docker.io` for Docker Hub. */
  registries: { shape: registries, optional: true },
  /** The configuration of Docker's client on this host, instead of root's. */
  dockerConfig: { shape: absolutePath, optional: true },
  /** For all attempts of a pull together. */
  pullTimeoutSeconds: { shape: wholeNumber(1, 86_400), optional: true },
  pullAttempts: { shape: wholeNumber(1, 20), optional: true },
  images: { shape: objectOf(cleanUpFields, { unknown: notAKey }), optional: true },
} as const;

export type ImagePolicy = ObjectOf<typeof imagePolicyFields>;

/** True if the policy contains a secret itself, so that only its owner may read the file. */
export function containsSecrets({ registries: entries = {} }: ImagePolicy): boolean {
  return Object.values(entries).some((entry) => 'password' in entry || 'identityToken' in entry);
}

export function registriesOf({ registries: entries = {} }: ImagePolicy): ReadonlyMap<string, RegistryEntry> {
  return new Map(Object.entries(entries).map(([host, entry]) => [registryNamed(host), entry]));
}

export function pullSettings({ pullTimeoutSeconds, pullAttempts }: ImagePolicy): PullSettings {
  return {
    timeoutMs: pullTimeoutSeconds === undefined ? DEFAULT_PULL.timeoutMs : pullTimeoutSeconds * 1000,
    attempts: pullAttempts ?? DEFAULT_PULL.attempts,
  };
}
