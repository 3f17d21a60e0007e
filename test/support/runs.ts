const FACTOR = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1);

/**
 * Scales the number of runs of a property test: `usual` in the suite, a multiple in `npm run soak`, a part in
 * `npm run check`.
 */
export function runs(usual: number): number {
  return Math.ceil(usual * FACTOR);
}

/** The time limit in ms of a test whose runs are scaled: `usual` in the suite, a multiple with more runs, never less. */
export function timeLimit(usual: number): number {
  return usual * Math.max(1, FACTOR);
}
