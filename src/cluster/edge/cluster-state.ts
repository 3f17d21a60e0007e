/**
 * What this machine keeps of a cluster, in a directory only its owner may enter: the secrets, and the cluster as it
 * was last installed, so that later commands need not name its hosts again.
 */

import { randomBytes } from 'node:crypto';
import { access, link, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { RELEASE } from '../../release.ts';
import type { StoredFile } from '../../stored/file.ts';
import type { Cluster } from '../cluster.ts';
import { generateSecrets, SECRET_NAMES, type Secrets } from '../secrets.ts';

const CLUSTER_FILE = 'cluster.json';

/** Where the state of all clusters lies: `$XDG_STATE_HOME/mesosup`, or `~/.local/state/mesosup`. */
export function stateHome(environment: NodeJS.ProcessEnv, home: string): string {
  const set = environment.XDG_STATE_HOME;
  // The specification says that a relative path is to be passed over.
  const base = set !== undefined && path.isAbsolute(set) ? set : path.join(home, '.local/state');
  return path.join(base, 'mesosup');
}

/** Names of the clusters that were installed from this machine, in order. */
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
  readonly #clusterFile: string;

  /** @param directory of this cluster alone; made when something is written */
  constructor(directory: string) {
    this.directory = directory;
    this.secretsFile = path.join(directory, 'secrets.json');
    this.#clusterFile = path.join(directory, CLUSTER_FILE);
  }

  /** The secrets, or undefined when there are none yet. @throws MesosupError when others could read them */
  async secrets(): Promise<Secrets | undefined> {
    const text = await this.#read(this.secretsFile);
    if (text === undefined) return undefined;
    // Formats are counted only from the second on. Names that are not known are another release's, which keeps them.
    return this.#decode(this.secretsFile, { format: 1, ...parse(text, this.secretsFile) }, async () => ({
      format: 1,
      read: (found) => {
        const values = Object.fromEntries(SECRET_NAMES.map((name) => [name, found[name]]));
        const isSecret = (value: unknown) => typeof value === 'string' && /^[A-Za-z0-9_-]{20,}$/.test(value);
        if (!Object.values(values).every(isSecret)) throw damaged(this.secretsFile);
        return values as Record<(typeof SECRET_NAMES)[number], string>;
      },
    }));
  }

  /** The secrets; fresh ones, written down, when there are none. Of several that ask at once all get the same. */
  async makeSecrets(): Promise<Secrets> {
    const there = await this.secrets();
    if (there) return there;
    const fresh = generateSecrets((bytes) => randomBytes(bytes));
    const draft = await this.#draft(fresh);
    try {
      await link(draft, this.secretsFile);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw this.#unwritable(error);
    } finally {
      await rm(draft, { force: true });
    }
    return (await this.secrets()) ?? fresh;
  }

  /** The cluster as it was last installed or begun to be; undefined when it never was. */
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

  async keepCluster(cluster: Cluster): Promise<void> {
    const draft = await this.#draft({ format: 1, release: RELEASE, cluster });
    await rename(draft, this.#clusterFile);
  }

  /** Makes a file for the caller to write, such as a log. */
  async newFile(name: string): Promise<string> {
    await this.#makeDirectory();
    return path.join(this.directory, name);
  }

  /** After an uninstall with its data: nothing needs the secrets any more. */
  async forget(): Promise<void> {
    await rm(this.secretsFile, { force: true });
    await rm(this.#clusterFile, { force: true });
  }

  async #makeDirectory(): Promise<void> {
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw this.#unwritable(error);
    }
    await mustBePrivate(this.directory);
  }

  async #draft(value: unknown): Promise<string> {
    await this.#makeDirectory();
    const draft = path.join(this.directory, `.draft-${randomBytes(6).toString('hex')}`);
    try {
      await writeFile(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
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
        remedy: `Run as the user who installed the cluster, or name another directory with --state.`,
        cause: error,
      });
    }
  }

  /** @throws MesosupError for what is damaged, or of a later release */
  async #decode<T>(file: string, stored: unknown, form: () => Promise<StoredFile<T>>): Promise<T> {
    // Loaded only where there is something to read: a schema takes its time.
    const [{ readStored }, known] = await Promise.all([import('../../stored/file.ts'), form()]);
    const read = readStored(stored, known, (why, remedy) =>
      remedy === undefined ? damaged(file, why) : new MesosupError(`${file} ${why}`, { path: file, remedy }),
    );
    if (read === undefined) throw damaged(file);
    return read;
  }

  #unwritable(error: unknown): MesosupError {
    const { code, message } = error as NodeJS.ErrnoException;
    return new MesosupError(`${this.directory} can't be written: ${code ?? message}`, {
      remedy: 'Make it writable, or name another directory with --state.',
      cause: error,
    });
  }
}

/** @throws MesosupError when anybody else has a right to it */
async function mustBePrivate(file: string): Promise<void> {
  const stat = await lstat(file);
  const mode = stat.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    const wanted = stat.isDirectory() ? '700' : '600';
    throw new MesosupError(`${file} is open to others (mode 0${mode.toString(8)}), and secrets lie in it`, {
      remedy: `Run: chmod ${wanted} ${file}`,
    });
  }
  const user = process.getuid?.();
  if (user !== undefined && user !== 0 && stat.uid !== user) {
    throw new MesosupError(`${file} belongs to another user (${stat.uid})`, {
      remedy: `Run as that user, or name another directory with --state.`,
    });
  }
}

function parse(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // An error of JSON.parse could hold a piece of the text.
  }
  throw damaged(file);
}

function damaged(file: string, why = 'is damaged'): MesosupError {
  return new MesosupError(`${file} ${why}`, {
    path: file,
    remedy: `Put back a copy of it. Without one: move it away, and install again for new secrets and a restart of all services.`,
  });
}
