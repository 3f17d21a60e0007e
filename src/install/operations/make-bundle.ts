/** Makes a bundle: resolves the packages of each system of a cluster on one of its hosts, and collects the files. */

import { NOT_ISSUED } from '../../cluster/certificates.ts';
import { EMPTY_LOCK } from '../../cluster/versions-lock.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { BundledImage, BundleManifest } from '../bundle/manifest.ts';
import {
  BUNDLE_UPLOADS,
  parseResolved,
  type ResolvedFile,
  type ResolveRequest,
  resolveRequest,
  resolveScript,
  sendUriScript,
} from '../bundle/resolve.ts';
import { writeBundle } from '../edge/bundle-file.ts';
import { downloadKey, fetchKey } from '../edge/keys.ts';
import { payload } from '../edge/payload.ts';
import { uploadPayload } from '../edge/upload.ts';
import type { Facts } from '../facts.ts';
import { lockSystem, lockWith, pinsFor } from '../locked-versions.ts';
import type { Pin } from '../package-file.ts';
import type { AptKeyResource } from '../resources/apt-key.ts';
import { factsOf } from '../topology.ts';
import { wantedResources } from '../wanted/wanted.ts';
import { freshSecrets, nothingChanged, type Program, sha256 } from './prepare.ts';
import type { Session } from './session.ts';

/** Files of one host that are copied at the same time. */
const AT_ONCE = 4;

export interface BundleReport {
  readonly file: string;
  readonly systems: Readonly<Record<string, { readonly packages: number; readonly bytes: number }>>;
  readonly images: readonly string[];
  /** Bytes that were not in the cache of this machine. */
  readonly fetchedBytes: number;
}

export interface BundleOptions {
  /** Path of the bundle. */
  readonly file: string;
  /** Take the newest packages, whatever `versions.lock` has. */
  readonly update: boolean;
  /** Images whose archives are in the cache of this machine. */
  readonly images: readonly BundledImage[];
  readonly say: (text: string) => void;
}

interface SystemRequest {
  readonly system: string;
  /** The host whose apt resolves the packages. */
  readonly builder: string;
  readonly request: ResolveRequest;
}

/** Changes nothing on any host. @throws MesosupError if a host is unreachable, or its apt can't get a package */
export async function makeBundle(
  session: Session,
  program: Program,
  { file, update, images, say }: BundleOptions,
): Promise<BundleReport> {
  const { cluster, state } = session;
  const { facts, unreachable } = await session.survey(await state.secrets());
  if (unreachable.length > 0) {
    throw nothingChanged({ blocker: 'the systems of unreachable hosts are not known' }, unreachable);
  }
  const lock = update ? EMPTY_LOCK : lockWith((await state.versionsLock()) ?? EMPTY_LOCK, facts);
  const archive = await payload(program.root);
  const bare = new Map([...facts].map(([name, own]) => [name, withoutPackages(own)]));
  const bySystem = Map.groupBy(cluster.hosts, ({ name }) => lockSystem(factsOf(bare, name)));
  const keys = new Map<string, Buffer>();
  // With what TLS needs, which the cluster may get later.
  const secrets = { ...freshSecrets(), ...(cluster.tls !== false && { tls: NOT_ISSUED }) };
  const systems = await Promise.all(
    [...bySystem].map(async ([system, hosts]): Promise<SystemRequest> => {
      const input = { cluster, facts: bare, templates: session.templates, payload: archive, sha256 };
      const resources = hosts.flatMap((host) => wantedResources({ ...input, host, running: true, secrets }));
      const builder = hosts[0]?.name ?? '';
      const request = resolveRequest(resources, pinsFor(lock, factsOf(bare, builder), resources));
      return {
        system,
        builder,
        request: { ...request, keys: await withContent(system, request.keys, keys) },
      };
    }),
  );
  let fetchedBytes = 0;
  const resolved = await Promise.all(
    systems.map(async ({ system, builder, request }) => {
      const files = await resolve(session, system, builder, request);
      const missing = [];
      for (const one of files) if (!(await session.packages.find(one.sha256))) missing.push(one);
      const [all, more] = [files, missing].map((some) => some.reduce((sum, { bytes }) => sum + bytes, 0));
      say(
        `${system}: ${files.length} packages with ${megabytes(all)} MB, of which ${missing.length} with ${megabytes(more)} MB come from ${builder}`,
      );
      await fetchAll(session, builder, request, missing);
      fetchedBytes += more ?? 0;
      return [system, files.map(({ uri: _uri, ...one }) => one)] as const;
    }),
  );
  const { version, sha256: digest, bytes } = archive;
  const manifest: BundleManifest = {
    cluster: cluster.name,
    payload: { version, sha256: digest, bytes },
    systems: Object.fromEntries(resolved.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    keys: Object.fromEntries([...keys].map(([url, content]) => [url, content.toString('base64')])),
    ...(images.length > 0 && { images }),
  };
  await writeBundle(file, manifest, (sum) => {
    if (sum === digest) return archive.file;
    const isImage = images.some((one) => one.sha256 === sum);
    return isImage ? session.packages.imageFile(sum) : session.packages.file(sum);
  });
  const counts = resolved.map(([system, files]) => [
    system,
    { packages: files.length, bytes: files.reduce((sum, one) => sum + one.bytes, 0) },
  ]);
  return { file, systems: Object.fromEntries(counts), images: images.map(({ name }) => name), fetchedBytes };
}

/** As before an installation, so that every package is wanted, with its repository. */
function withoutPackages(own: Facts): Facts {
  return { ...own, packages: {}, mesosup: { ...own.mesosup, journal: [] } };
}

/** @param found receives the file of each URL */
async function withContent(
  system: string,
  keys: readonly AptKeyResource[],
  found: Map<string, Buffer>,
): Promise<AptKeyResource[]> {
  const download = async (url: string): Promise<Buffer> => {
    const content = found.get(url) ?? (await downloadKey(url));
    found.set(url, content);
    return content;
  };
  return Promise.all(keys.map((key) => fetchKey(key, [system], Date.now(), { download })));
}

async function resolve(
  session: Session,
  system: string,
  builder: string,
  request: ResolveRequest,
): Promise<readonly ResolvedFile[]> {
  const host = session.host(builder);
  for (const { file, sha256 } of request.packages) {
    if (file === undefined || !('upload' in file) || sha256 === undefined) continue;
    await uploadPayload(host, session.scripts, file.upload, sha256, { directory: BUNDLE_UPLOADS });
  }
  const { stdout, stderr, code } = await host.run(resolveScript(session.scripts, request));
  const found = code === 0 ? parseResolved(stdout) : { failure: stderr.trim().slice(-500) || `exit ${code}` };
  if ('failure' in found) {
    throw new MesosupError(
      `the apt of ${builder} can't resolve the packages for ${system}: ${found.failure}`,
      {
        host: builder,
        remedy: `Check the repositories and the network of ${builder}. If they no longer have the versions of versions.lock, use --update.`,
      },
    );
  }
  refuseMoved(system, found, request.pins);
  return found;
}

function refuseMoved(system: string, files: readonly ResolvedFile[], pins: readonly Pin[]): void {
  const versions = new Map(pins.map(({ name, version }) => [name, version]));
  const moved = files.filter(({ name, version }) => (versions.get(name) ?? version) !== version);
  if (moved.length === 0) return;
  const lines = moved.map(({ name, version }) => `  ${name} ${versions.get(name)} → ${version}`);
  throw new MesosupError(
    `the repositories for ${system} no longer have these versions of versions.lock:\n${lines.join('\n')}`,
    { remedy: 'Set a mirror that keeps old versions, or take the newer versions with --update.' },
  );
}

/** Each file that is complete stays in the cache, so that an interrupted run resumes. */
async function fetchAll(
  session: Session,
  builder: string,
  { packages }: ResolveRequest,
  files: readonly ResolvedFile[],
): Promise<void> {
  const host = session.host(builder);
  const rest = [...files];
  const here = new Map(
    packages.flatMap(({ file, sha256 }) =>
      file && 'upload' in file ? [[sha256, file.upload] as const] : [],
    ),
  );
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = rest.shift(); one !== undefined; one = rest.shift()) {
        const { uri: _uri, ...file } = one;
        const from = here.get(one.sha256);
        if (from === undefined) await session.packages.fetch(host, sendUriScript(session.scripts, one), file);
        else await session.packages.copy(from, file);
      }
    }),
  );
}

function megabytes(bytes = 0): string {
  return (bytes / 1e6).toFixed(0);
}
