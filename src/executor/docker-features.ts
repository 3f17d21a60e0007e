/** Finds out what Docker on this agent can do. */

import type { DockerEngine } from '../docker/engine.ts';
import type { DockerFeatures } from './domain/default-options.ts';

/** As Docker reports an init program that it can't run. */
const NOT_AVAILABLE = 'N/A';

/** @throws DockerError | DockerUnavailableError */
export async function readDockerFeatures(engine: Pick<DockerEngine, 'info'>): Promise<DockerFeatures> {
  const { InitBinary, InitCommit, LoggingDriver, NCPU } = await engine.info();
  return {
    hasInit: InitBinary !== undefined && InitBinary !== '' && InitCommit?.ID !== NOT_AVAILABLE,
    logDriver: LoggingDriver,
    cpus: NCPU,
  };
}

/** Limits the writable layers of containers where the storage driver can; Docker itself says whether it can. */
export class DiskLimit {
  #refusal: string | undefined;

  /**
   * @param option undefined if the container needs no limit
   * @param create creates the container with these options
   * @param note called if the limit is not enforced, with the reason
   */
  async create<T>(
    option: string | undefined,
    create: (options: readonly string[]) => Promise<T>,
    note: (line: string) => void,
  ): Promise<T> {
    if (option === undefined) return await create([]);
    let refusal = this.#refusal;
    if (refusal === undefined) {
      try {
        return await create([option]);
      } catch (error) {
        refusal = (error as Error).message;
        // Any other cause must reach the caller, who also finds containers of an earlier worker by it.
        if (!/storage-opt|quota|storage driver/i.test(refusal)) throw error;
      }
    }
    const created = await create([]);
    this.#refusal = refusal;
    note(`the disk limit of the task is not enforced on this agent: ${refusal}`);
    return created;
  }
}
