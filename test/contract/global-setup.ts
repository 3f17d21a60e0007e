/**
 * Selects the Mesos of the contract suite: the master at MESOSUP_TEST_MASTER (host:port), or an embedded Mesos that is
 * started here and stopped at the end.
 */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { describeEmbedded, type Embedded, startEmbedded, stopEmbedded } from './support/embedded.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The master, `host:port`. */
    master: string;
    /** Absent for a real Mesos. */
    embedded: Embedded | null;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const real = process.env.MESOSUP_TEST_MASTER;
  if (real) {
    project.provide('master', real);
    project.provide('embedded', null);
    return async () => {};
  }
  const embedded = await describeEmbedded(join(tmpdir(), `mesosup-contract-${process.pid}`));
  try {
    await startEmbedded(embedded, 'master');
    await startEmbedded(embedded, 'agent');
  } catch (error) {
    await stopEmbedded(embedded);
    throw error;
  }
  project.provide('master', embedded.master);
  project.provide('embedded', embedded);
  return () => stopEmbedded(embedded);
}
