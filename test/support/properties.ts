/** Loaded before each file of unit tests: sets the defaults of property tests. */
import fc from 'fast-check';
import { runs } from './runs.ts';

const FAST_CHECK_RUNS = 100;

const seed = process.env.MESOSUP_SOAK_SEED;
fc.configureGlobal({ numRuns: runs(FAST_CHECK_RUNS), ...(seed !== undefined && { seed: Number(seed) }) });
