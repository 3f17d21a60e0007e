/**
 * The command `janitor [--cluster NAME] [--once] [--dry-run]`: removes containers whose executor is gone and images that
 * are no longer used, once or every minute.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DockerEngine } from '../docker/engine.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { readPolicy } from './agent-policy.ts';
import { cleanUpSettings } from './domain/image-clean-up.ts';
import { removeUnusedImages } from './image-clean-up.ts';
import { imageRecordsIn } from './image-records.ts';
import { removeOrphans } from './janitor.ts';
import { logToStderr } from './log.ts';

const EVERY_MS = 60_000;

export interface JanitorSettings {
  policyFile: string;
  /** Undefined if the agent keeps no records of its images: none is removed. */
  stateDirectory: string | undefined;
}

/** @throws UsageError for unknown arguments; DockerUnavailableError | DockerError */
export async function janitor(argv: string[], settings: JanitorSettings): Promise<void> {
  const options = {
    cluster: { type: 'string' },
    once: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  } as const;
  const { values } = withUsageErrors(() => parseArgs({ args: argv, options }));
  const { cluster, 'dry-run': dryRun = false, once = dryRun } = values;
  do {
    await removeOrphans({ engine: new DockerEngine(), cluster, dryRun, log: logToStderr });
    await cleanImages(settings, dryRun);
    if (!once) await sleep(EVERY_MS);
  } while (!once);
}

async function cleanImages({ policyFile, stateDirectory }: JanitorSettings, dryRun: boolean): Promise<void> {
  const records = imageRecordsIn(stateDirectory, logToStderr);
  if (!records) return;
  const reading = readPolicy(policyFile);
  if ('problem' in reading) {
    const reason = `${reading.file}: ${reading.problem}`;
    logToStderr({ level: 'error', msg: 'no images are removed', reason });
    return;
  }
  const settings = cleanUpSettings(reading.policy);
  if (!settings) return;
  await removeUnusedImages({
    engine: new DockerEngine(),
    records,
    settings,
    dryRun,
    now: Date.now(),
    log: logToStderr,
  });
}

/** Converts the TypeErrors of parseArgs. @throws UsageError */
function withUsageErrors<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
