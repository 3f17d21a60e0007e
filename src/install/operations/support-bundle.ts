/** Reads what a support bundle shows of the hosts beyond the doctor's examination, and writes the bundle. */

import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { hostNamed } from '../../cluster/choose-hosts.ts';
import type { LoadedCluster } from '../../cluster/edge/load.ts';
import { replaceFile } from '../../cluster/edge/replace-file.ts';
import { type Secrets, secretValues } from '../../cluster/secrets.ts';
import { readYaml } from '../../cluster/yaml-text.ts';
import { HostError } from '../../hosts/host.ts';
import { RELEASE } from '../../release.ts';
import { type BundleFile, bundleFiles } from '../doctor/bundle.ts';
import type { Diagnosis } from '../doctor/render.ts';
import { tar } from '../edge/tar.ts';
import { SERVICE_NAMES, unitsOf } from '../logs/services.ts';
import { type Collection, collectScript, parseCollection } from '../script/collect-script.ts';
import { addressOf, type FactsByHost } from '../topology.ts';
import type { ClusterExamination } from './examine.ts';
import { askConcurrently } from './screen.ts';
import type { Session } from './session.ts';

/** The directory of the files within the archive. */
const DIRECTORY = 'support';

/**
 * Reads logs and metrics, and writes the bundle.
 * @param file absolute path of the archive
 * @param input `file`: the cluster file, if there is one
 * @returns the size of the archive in bytes
 */
export async function writeSupportBundle(
  session: Session,
  file: string,
  {
    read,
    diagnosis,
    secrets,
    file: spec,
    made,
  }: ClusterExamination & {
    readonly diagnosis: Diagnosis;
    readonly file?: LoadedCluster['file'] | undefined;
    /** ISO 8601. */
    readonly made: string;
  },
): Promise<number> {
  const collections = await collect(session, read.facts, secrets);
  const files = bundleFiles({
    ...read,
    made,
    release: RELEASE,
    spec: spec && readYaml(spec.text, spec.path).value,
    diagnosis,
    collections,
    secrets: secrets ? secretValues(secrets) : [],
  });
  return writeArchive(file, files);
}

/** @returns by host; lacks hosts that can't be read any more, which the doctor's findings name the next time */
async function collect(
  session: Session,
  facts: FactsByHost,
  secrets: Secrets | undefined,
): Promise<ReadonlyMap<string, Collection>> {
  const { cluster, scripts } = session;
  const collections = new Map<string, Collection>();
  await askConcurrently(
    session.screen,
    'Reading logs and metrics',
    [...facts.keys()],
    session.atOnce,
    async (name) => {
      const host = hostNamed(cluster, name);
      const address = addressOf(cluster, host, facts);
      if (address === undefined) return;
      const services = unitsOf(SERVICE_NAMES);
      const script = collectScript(scripts, { cluster, host, address, services, secrets });
      try {
        collections.set(name, parseCollection((await session.host(name).run(script)).stdout));
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        session.screen.note(`The bundle lacks logs and metrics of ${name}: ${error.message}`);
      }
    },
  );
  return collections;
}

/**
 * Writes the files as a tar archive compressed with gzip, atomically, and readable by its owner only.
 * @returns the size of the archive in bytes
 */
export async function writeArchive(file: string, files: readonly BundleFile[]): Promise<number> {
  const entries = files.map(({ name, content }) => ({
    name: `${DIRECTORY}/${name}`,
    mode: 0o600,
    content: Buffer.from(content),
  }));
  return replaceFile(file, 'Name another file with --bundle.', async (draft) => {
    const target = createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(Readable.from(tar(entries)), createGzip(), target);
    return target.bytesWritten;
  });
}
