/**
 * How often a property is tried, or how long that may take: `usual` in the suite, many times that in `npm run soak`.
 */
export function runs(usual: number): number {
  return usual * Number(process.env.MESOSUP_SOAK_FACTOR ?? 1);
}
