/** Fetches the keys of apt repositories that hosts lack, and checks them before they are sent to a host. */

import { readFile } from 'node:fs/promises';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { HostPlan, Plan, PlanItem } from '../plan.ts';
import type { AptKeyResource } from '../resources/apt-key.ts';
import { armour, type PublicKey, readKeys } from './openpgp.ts';

const TIMEOUT_MS = 30_000;
/** Far more than a file of keys needs. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Adds the content of each key to the plan. Fetches each key once.
 * @param download fetches a URL; by default through the environment's proxies
 * @throws MesosupError when a key can't be fetched, has another fingerprint than the pinned one, or has expired
 */
export async function fetchKeys(
  plan: Plan,
  now: () => number = Date.now,
  download: (url: string) => Promise<Buffer> = downloadKey,
): Promise<Plan> {
  const fetched = new Map<string, Promise<Buffer>>();
  const once = (from: string, get: (from: string) => Promise<Buffer>): Promise<Buffer> => {
    const file = fetched.get(from) ?? get(from);
    fetched.set(from, file);
    return file;
  };
  const sources = {
    download: (url: string) => once(url, download),
    read: (file: string) => once(file, readKey),
  };
  const filled = async (item: PlanItem): Promise<PlanItem> => {
    const { resource } = item;
    if (resource?.kind !== 'apt-key' || resource.content !== undefined) return item;
    return { ...item, resource: await fetchKey(resource, hostsWith(plan, resource.path), now(), sources) };
  };
  const hosts = plan.hosts.map(
    async (host): Promise<HostPlan> => ({ ...host, items: await Promise.all(host.items.map(filled)) }),
  );
  return { ...plan, hosts: await Promise.all(hosts) };
}

/**
 * Adds its content to a key.
 * @param whom that need it, for messages
 * @param sources read a key from a URL, and from a file
 * @throws MesosupError as `fetchKeys`
 */
export async function fetchKey(
  resource: AptKeyResource,
  whom: readonly string[],
  now: number,
  {
    download,
    read = readKey,
  }: {
    readonly download: (url: string) => Promise<Buffer>;
    readonly read?: (file: string) => Promise<Buffer>;
  },
): Promise<AptKeyResource> {
  const { source } = resource;
  const from = 'url' in source ? source.url : source.file;
  try {
    const file = await ('url' in source ? download(from) : read(from));
    return { ...resource, content: checked(file, from, resource, now).toString('base64') };
  } catch (error) {
    if (!(error instanceof MesosupError)) throw error;
    throw new MesosupError(`${error.message}\nNothing was changed: the key is for ${whom.join(', ')}.`, {
      remedy: error.remedy,
      cause: error,
    });
  }
}

function hostsWith(plan: Plan, path: string): string[] {
  const isThis = ({ resource }: PlanItem) => resource?.kind === 'apt-key' && resource.path === path;
  return plan.hosts.filter(({ items }) => items.some(isThis)).map(({ host }) => host);
}

/** Returns the bytes for the host: the pinned key only, in the form that apt expects for the path. */
function checked(file: Buffer, from: string, { path, fingerprint }: AptKeyResource, now: number): Buffer {
  const keys = keysOf(file, from);
  const wanted = fingerprint === undefined ? keys : keys.filter((key) => key.fingerprint === fingerprint);
  if (wanted.length === 0) {
    const found = keys.map((key) => key.fingerprint).join(', ');
    throw new MesosupError(`the key at ${from} has the fingerprint ${found}, not ${fingerprint}`, {
      remedy:
        "Ask the repository's owner which fingerprint is right, and set it in the cluster file (repository: fingerprint).",
    });
  }
  const ends = wanted.map(({ expires }) => expires ?? Number.POSITIVE_INFINITY);
  const last = Math.max(...ends);
  if (last <= now) {
    throw new MesosupError(
      `the key at ${from} expired on ${new Date(last).toISOString().slice(0, 10)}, so apt would reject the repository`,
      {
        remedy:
          'Ask the repository for its renewed key and set it in the cluster file (repository: key), or install a single package file by its SHA-256 (mesos: package).',
      },
    );
  }
  const packets = Buffer.concat(wanted.map((key) => key.packets));
  return path.endsWith('.asc') ? Buffer.from(armour(packets)) : packets;
}

function keysOf(file: Buffer, from: string): PublicKey[] {
  try {
    return readKeys(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MesosupError(`${from} is not the key of a repository: ${why}`, {
      remedy:
        'Set the address of the key itself in the cluster file (repository: key), not of a page about it.',
      cause,
    });
  }
}

async function readKey(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new MesosupError(`the key ${file} can't be read: ${code ?? message}`, {
      remedy: 'Check the path in the cluster file (repository: key).',
      cause,
    });
  }
}

export async function downloadKey(url: string): Promise<Buffer> {
  // Read from the module at run time: the bundles import only some names of node:http.
  const direct = process.getBuiltinModule('node:http').setGlobalProxyFromEnv?.();
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length > MAX_BYTES) throw new Error(`it has ${bytes.length} bytes`);
    return bytes;
  } catch (cause) {
    throw new MesosupError(`the key at ${url} can't be fetched: ${reasonOf(cause)}`, {
      remedy:
        'Check the network and its proxy settings (https_proxy), or set a file in the cluster file (repository: key).',
      cause,
    });
  } finally {
    direct?.();
  }
}

/** The error of fetch has its reason as its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${(cause as NodeJS.ErrnoException).code ?? cause.message}` : error.message;
}
