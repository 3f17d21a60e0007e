/** Package files on this machine, each named by its SHA-256, with their control fields beside them. */

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { MesosupError } from '../../errors/mesosup-error.ts';
import type { Host } from '../../hosts/host.ts';
import type { BundledFile } from '../bundle/manifest.ts';
import { type PackageFile, parseControl } from '../package-file.ts';
import { type Receiver, received } from './bundle-file.ts';
import { fileDigest } from './file-digest.ts';

export class PackageCache {
  readonly #directory: string;

  /** @param directory created when the first file is stored */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The cache of this user: `$XDG_CACHE_HOME/mesosup/packages`, or `~/.cache/mesosup/packages`. */
  static ofUser(environment: NodeJS.ProcessEnv): PackageCache {
    const base = environment.XDG_CACHE_HOME || path.join(homedir(), '.cache');
    return new PackageCache(path.join(base, 'mesosup/packages'));
  }

  /** Returns the path of a file, which may not exist. @throws TypeError for text that is not a SHA-256 in hex */
  file(sha256: string): string {
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new TypeError(`not a SHA-256: ${sha256}`);
    return path.join(this.#directory, `${sha256}.deb`);
  }

  /** Undefined if the cache lacks the file. Its content is checked where it is used. */
  async find(sha256: string): Promise<PackageFile | undefined> {
    try {
      const [control, { size }] = await Promise.all([
        readFile(this.#control(sha256), 'utf8'),
        stat(this.file(sha256)),
      ]);
      const own = parseControl(control);
      return own && { ...own, sha256, bytes: size, control };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Copies a file from a host into the cache.
   * @param script prints the file as lines of base64 that can be decoded one by one
   * @throws MesosupError if the host sends other bytes, HostError if the connection is lost
   */
  async fetch(host: Host, script: string, file: PackageFile): Promise<void> {
    const receiver = await this.receive(file);
    await received(receiver, async () => {
      const hash = createHash('sha256');
      let writing = Promise.resolve();
      const { code, stderr } = await host.run(script, {
        onLine: (line) => {
          const bytes = Buffer.from(line, 'base64');
          hash.update(bytes);
          writing = writing.then(() => receiver.write(bytes));
          writing.catch(() => {});
        },
      });
      await writing;
      if (code !== 0 || hash.digest('hex') !== file.sha256) {
        const why = stderr.trim().split('\n').at(-1);
        throw new MesosupError(
          `${host.name} did not send the package ${file.name} ${file.version} completely${why ? `: ${why}` : ''}`,
          { host: host.name, remedy: 'Run the same command again to resume.' },
        );
      }
    });
  }

  /** Copies a file of this machine into the cache. @throws MesosupError if it has another SHA-256 */
  async copy(from: string, file: PackageFile): Promise<void> {
    const found = await fileDigest(from);
    if (found !== file.sha256) {
      throw new MesosupError(`${from} has the SHA-256 ${found}, not ${file.sha256}`, {
        path: from,
        remedy: 'Check that this is the right file, and set its SHA-256 in the cluster file (mesos: sha256).',
      });
    }
    const receiver = await this.receive(file);
    await received(receiver, async () => {
      for await (const chunk of createReadStream(from, { highWaterMark: 1 << 20 }))
        await receiver.write(chunk);
    });
  }

  /** Returns the path of the archive of an image, which may not exist. @throws TypeError as `file` */
  imageFile(sha256: string): string {
    return this.file(sha256).replace(/deb$/, 'image');
  }

  /**
   * Returns the archive of an image, which `save` writes unless the cache has it.
   * @param id of the image
   * @param name that the archive contains
   */
  async image(id: string, name: string, save: () => AsyncIterable<Uint8Array>): Promise<BundledFile> {
    const known = path.join(this.#directory, `${digestOf(`${id} ${name}`)}.id`);
    const sha256 = await readFile(known, 'utf8').catch(() => undefined);
    const found =
      sha256 === undefined ? undefined : await stat(this.imageFile(sha256)).catch(() => undefined);
    if (sha256 !== undefined && found) return { sha256, bytes: found.size };
    const { write, keep, drop } = await this.#draft();
    const hash = createHash('sha256');
    let bytes = 0;
    let digest = '';
    await received({ keep: () => keep(this.imageFile(digest)), drop }, async () => {
      for await (const chunk of save()) {
        hash.update(chunk);
        bytes += chunk.length;
        await write(chunk);
      }
      digest = hash.digest('hex');
    });
    await writeFile(known, digest, { mode: 0o600 });
    return { sha256: digest, bytes };
  }

  /** Stores the archive of an image, as `receive` does. */
  async receiveImage(sha256: string): Promise<Receiver> {
    const draft = await this.#draft();
    return { ...draft, keep: () => draft.keep(this.imageFile(sha256)) };
  }

  /** Stores a file, whose SHA-256 the caller checks. Other processes see it only when it is kept. */
  async receive(file: PackageFile): Promise<Receiver> {
    const draft = await this.#draft();
    return {
      ...draft,
      keep: async () => {
        await writeFile(this.#control(file.sha256), file.control, { mode: 0o600 });
        await draft.keep(this.file(file.sha256));
      },
    };
  }

  /** Opens a new file. `keep` gives it its name, `drop` removes it. */
  async #draft() {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const draft = path.join(this.#directory, `.draft-${randomBytes(6).toString('hex')}`);
    const handle = await open(draft, 'wx', 0o600);
    return {
      write: (chunk: Uint8Array) => handle.writeFile(chunk),
      keep: async (name: string) => {
        await handle.sync();
        await handle.close();
        await rename(draft, name);
      },
      drop: async () => {
        await handle.close();
        await rm(draft, { force: true });
      },
    };
  }

  #control(sha256: string): string {
    return this.file(sha256).replace(/deb$/, 'control');
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
