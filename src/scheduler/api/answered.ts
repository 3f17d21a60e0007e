/** An answered request. */
export interface Answered {
  /** The `X-Request-Id` of the answer. */
  readonly id: string;
  readonly method: string;
  readonly url: string;
  /** The pattern that the URL matched. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}
