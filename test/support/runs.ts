/**
 * How often a property is tried: in the suite as often as `usual`, in `npm run soak` many times that.
 */
export function runs(usual: number): number {
  return usual * Number(process.env.MESOSUP_SOAK_FACTOR ?? 1);
}
