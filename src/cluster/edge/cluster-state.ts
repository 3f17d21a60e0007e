/**
 * The state of a cluster on this machine, in a directory that only its owner can enter: the secrets, and the cluster as
 * it was last installed, so that later commands don't need to name its hosts.
 */

import { createHmac, randomBytes } from 'node:crypto';
import { access, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { RELEASE } from '../../release.ts';
import { readStored, type StoredFile } from '../../stored/file.ts';
import { readTexts } from '../../stored/texts.ts';
import { type KeptCertificates, tlsFiles } from '../certificates.ts';
import type { Cluster } from '../cluster.ts';
import { type KeptSecrets, secretsFrom } from '../rotation.ts';
import { generateSecrets, type Secrets, STORED_SECRET_NAMES, withoutDerived } from '../secrets.ts';
import { certificatesFile } from '../stored-certificates.ts';
import { encodeSecrets, secretsFile } from '../stored-secrets.ts';
import type { ClusterUrls } from '../urls.ts';
import { lockFile, storedLock, type VersionsLock } from '../versions-lock.ts';

const CLUSTER_FILE = 'cluster.json';

/** `urls.json`: a file of its own, which releases before it ignore, and which is read without a schema. */
const urlsFile: StoredFile<ClusterUrls> = {
  format: 1,
  read: (content) =>
    readTexts<ClusterUrls>(content, {
      schedulers: 'texts',
      masters: 'texts',
      hosts: 'optional texts',
    }),
};

/** Returns the directory for the state of all clusters: `$XDG_STATE_HOME/mesosup`, or `~/.local/state/mesosup`. */
export function stateHome(environment: NodeJS.ProcessEnv, home: string): string {
  const set = environment.XDG_STATE_HOME;
  // The XDG specification requires that a relative path is ignored.
  const base = set !== undefined && path.isAbsolute(set) ? set : path.join(home, '.local/state');
  return path.join(base, 'mesosup');
}

/** Lists the clusters that were installed from this machine, sorted by name. */
export async function knownClusters(stateHome: string): Promise<string[]> {
  const names = await readdir(stateHome).catch(() => []);
  const known = await Promise.all(
    names.map((name) =>
      access(path.join(stateHome, name, CLUSTER_FILE)).then(
        () => [name],
        () => [],
      ),
    ),
  );
  return known.flat().sort();
}

export class ClusterState {
  readonly directory: string;
  readonly secretsFile: string;
  readonly certificatesFile: string;
  /** Certificates of the cluster's authorities, in PEM, for clients on this machine. */
  readonly authorityFile: string;
  /** Names of the files in the directory that this class reads. */
  readonly fileNames = [
    'secrets.json',
    'certificates.json',
    CLUSTER_FILE,
    'urls.json',
    'versions.lock',
  ] as const;
  readonly lockFile: string;
  readonly #clusterFile: string;
  readonly #urlsFile: string;

  /** @param directory for this cluster only; created when something is written */
  constructor(directory: string) {
    this.directory = directory;
    this.secretsFile = path.join(directory, 'secrets.json');
    this.certificatesFile = path.join(directory, 'certificates.json');
    this.authorityFile = path.join(directory, 'ca.pem');
    this.lockFile = path.join(directory, 'versions.lock');
    this.#clusterFile = path.join(directory, CLUSTER_FILE);
    this.#urlsFile = path.join(directory, 'urls.json');
  }

  /** Reads the secrets; undefined when there are none. @throws MesosupError when other users could read them */
  async secrets(): Promise<Secrets | undefined> {
    const kept = await this.keptSecrets();
    return kept && this.#withTls(complete(kept));
  }

  /** Adds the certificates of the cluster, if it has any. */
  async #withTls(secrets: Secrets): Promise<Secrets> {
    const certificates = await this.certificates();
    return certificates ? { ...secrets, tls: tlsFiles(certificates) } : secrets;
  }

  /** Reads the certificates; undefined in a cluster without TLS. @throws as `secrets` */
  async certificates(): Promise<KeptCertificates | undefined> {
    const text = await this.#read(this.certificatesFile);
    if (text === undefined) return undefined;
    return this.#decode(
      this.certificatesFile,
      parse(text, this.certificatesFile, NO_CERTIFICATES),
      async () => certificatesFile,
      NO_CERTIFICATES,
    );
  }

  /** Stores the first certificates, unless another process has just done so. */
  async beginCertificates(kept: KeptCertificates): Promise<void> {
    await this.#linkDraft({ format: 1, release: RELEASE, ...kept }, this.certificatesFile);
  }

  /** Replaces the certificates. */
  async keepCertificates(kept: KeptCertificates): Promise<void> {
    // First, so that commands trust each authority that services have certificates of.
    await rename(await this.#textDraft(tlsFiles(kept).trusted), this.authorityFile);
    await rename(await this.#draft({ format: 1, release: RELEASE, ...kept }), this.certificatesFile);
  }

  /** Reads the secrets as they are stored; undefined when there are none. @throws as `secrets` */
  async keptSecrets(): Promise<KeptSecrets | undefined> {
    const text = await this.#read(this.secretsFile);
    if (text === undefined) return undefined;
    // Format 1 is not written in the file.
    const stored = { format: 1, ...parse(text, this.secretsFile) };
    return this.#decode(this.secretsFile, stored, async () => secretsFile);
  }

  /** Replaces the secrets. */
  async keepSecrets(kept: KeptSecrets): Promise<void> {
    await rename(await this.#draft(encodeSecrets(kept)), this.secretsFile);
  }

  /**
   * Reads the secrets, or makes and stores them. Concurrent calls, also of other processes, return the same secrets.
   * @param imported secrets of a cluster that others installed, to store with new ones
   */
  async makeSecrets(imported: Readonly<Record<string, string>> = {}): Promise<Secrets> {
    const stored = await this.secrets();
    if (stored) return stored;
    const now = Date.now();
    const fresh: KeptSecrets = {
      values: withoutDerived({ ...generateSecrets((bytes) => randomBytes(bytes)), ...imported }),
      generations: {},
      since: Object.fromEntries(STORED_SECRET_NAMES.map((name) => [name, now])),
    };
    await this.#linkDraft(encodeSecrets(fresh), this.secretsFile);
    return (await this.secrets()) ?? complete(fresh);
  }

  /**
   * Stores secrets of a cluster that others installed, beside new ones or those of an earlier call.
   * @param imported by name, imported ones or own ones
   */
  async importSecrets(imported: Readonly<Record<string, string>>): Promise<void> {
    await this.makeSecrets(imported);
    const kept = await this.keptSecrets();
    if (kept) await this.keepSecrets({ ...kept, values: { ...kept.values, ...imported } });
  }

  /** Reads the cluster of the last install, which may have failed; undefined if there was none. */
  async cluster(): Promise<Cluster | undefined> {
    const text = await this.#read(this.#clusterFile);
    if (text === undefined) return undefined;
    const stored = parse(text, this.#clusterFile);
    const file = await this.#decode(this.#clusterFile, stored, async () => {
      const { clusterFile } = await import('../stored-cluster.ts');
      return clusterFile;
    });
    return file.cluster;
  }

  /** Reads the URLs of the cluster of the last install; undefined if a release without them installed it. */
  async urls(): Promise<ClusterUrls | undefined> {
    const text = await this.#read(this.#urlsFile);
    if (text === undefined) return undefined;
    return this.#decode(this.#urlsFile, parse(text, this.#urlsFile), async () => urlsFile);
  }

  /** @param urls at which this machine reaches its members */
  async keepCluster(cluster: Cluster, urls: ClusterUrls): Promise<void> {
    const kept = { format: 1, release: RELEASE };
    // First, since a cluster is known by its other file.
    await rename(await this.#draft({ ...kept, ...urls }), this.#urlsFile);
    await rename(await this.#draft({ ...kept, cluster }), this.#clusterFile);
  }

  /** Reads the versions that the hosts took; undefined if no install has written them. */
  async versionsLock(): Promise<VersionsLock | undefined> {
    const text = await this.#read(this.lockFile);
    if (text === undefined) return undefined;
    const remedy = `Restore it from a backup, or remove it: the next install makes it again from the hosts that it reaches.`;
    return this.#decode(this.lockFile, parse(text, this.lockFile, remedy), async () => lockFile, remedy);
  }

  async keepVersionsLock(lock: VersionsLock): Promise<void> {
    const draft = await this.#draft({ format: 1, release: RELEASE, ...storedLock(lock) });
    await rename(draft, this.lockFile);
  }

  /** Returns the path of a file that the caller may write, for example a log; creates its directory. */
  async newFile(name: string): Promise<string> {
    await this.#makeDirectory();
    return path.join(this.directory, name);
  }

  /** Removes the state after an uninstall with its data, when the secrets are no longer needed. */
  async forget(): Promise<void> {
    await rm(this.secretsFile, { force: true });
    await rm(this.certificatesFile, { force: true });
    await rm(this.authorityFile, { force: true });
    await rm(this.#clusterFile, { force: true });
    await rm(this.#urlsFile, { force: true });
    await rm(this.lockFile, { force: true });
  }

  async #makeDirectory(): Promise<void> {
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw this.#unwritable(error);
    }
    await mustBePrivate(this.directory);
  }

  /** Writes a file that does not exist yet; one that exists stays. */
  async #linkDraft(value: unknown, file: string): Promise<void> {
    const draft = await this.#draft(value);
    try {
      await link(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw this.#unwritable(error);
    } finally {
      await rm(draft, { force: true });
    }
  }

  #draft(value: unknown): Promise<string> {
    return this.#textDraft(`${JSON.stringify(value, null, 2)}\n`);
  }

  async #textDraft(text: string): Promise<string> {
    await this.#makeDirectory();
    const draft = path.join(this.directory, `.draft-${randomBytes(6).toString('hex')}`);
    try {
      await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    } catch (error) {
      throw this.#unwritable(error);
    }
    return draft;
  }

  async #read(file: string): Promise<string | undefined> {
    try {
      const text = await readFile(file, 'utf8');
      await mustBePrivate(this.directory);
      await mustBePrivate(file);
      return text;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (error instanceof MesosupError) throw error;
      throw new MesosupError(`${file} can't be read: ${code ?? error}`, {
        remedy: `Run as the user who installed the cluster, or use another directory with --state.`,
        cause: error,
      });
    }
  }

  /** @throws MesosupError for a file that is damaged, or written by a later release */
  async #decode<T>(
    file: string,
    stored: unknown,
    form: () => Promise<StoredFile<T | undefined>>,
    whenDamaged?: string,
  ): Promise<T> {
    // Loaded only when there is something to read, since loading a schema is slow.
    const known = await form();
    const read = readStored(stored, known, (why, remedy) =>
      remedy === undefined
        ? damaged(file, whenDamaged, why)
        : new MesosupError(`${file} ${why}`, { path: file, remedy }),
    );
    if (read === undefined) throw damaged(file, whenDamaged);
    return read;
  }

  #unwritable(error: unknown): MesosupError {
    const { code, message } = error as NodeJS.ErrnoException;
    return new MesosupError(`${this.directory} can't be written: ${code ?? message}`, {
      remedy: 'Make it writable, or use another directory with --state.',
      cause: error,
    });
  }
}

/** A link may lead to another place of the user. @throws MesosupError when another user has access to the file */
async function mustBePrivate(file: string): Promise<void> {
  const found = await stat(file);
  const mode = found.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const wanted = found.isDirectory() ? '700' : '600';
    throw new MesosupError(
      `${file} contains secrets, but other users can access it (mode 0${mode.toString(8)})`,
      {
        remedy: `Run: chmod ${wanted} ${file}`,
      },
    );
  }
  const user = process.getuid?.();
  if (user !== undefined && user !== 0 && found.uid !== user) {
    throw new MesosupError(`${file} belongs to another user (${found.uid})`, {
      remedy: `Run as that user, or use another directory with --state.`,
    });
  }
}

function parse(text: string, file: string, whenDamaged?: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // An error of JSON.parse could contain a part of the text.
  }
  throw damaged(file, whenDamaged);
}

const LOST =
  'Restore it from a backup. Without a backup, move it away and install again. This makes new secrets and restarts all services.';

const NO_CERTIFICATES =
  'Restore it from a backup: hosts trust only the certificate authority whose key is in it.';

function damaged(file: string, remedy = LOST, why = 'is damaged'): MesosupError {
  return new MesosupError(`${file} ${why}`, { path: file, remedy });
}

/** Adds what follows from the stored secrets. */
export function complete(kept: KeptSecrets): Secrets {
  return secretsFrom(kept, (key, text) => createHmac('sha256', key).update(text).digest('base64url'));
}
