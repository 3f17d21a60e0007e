/**
 * Scales the number of runs of a property test, or its time limit: `usual` in the suite, a multiple in `npm run soak`.
 */
export function runs(usual: number): number {
  return usual * Number(process.env.MESOSUP_SOAK_FACTOR ?? 1);
}
