/** What became of a request. */
export interface Answered {
  /** As `X-Request-Id` of the answer says. */
  readonly id: string;
  readonly method: string;
  readonly url: string;
  /** The pattern that the URL matched. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}
