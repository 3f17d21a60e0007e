/** Access rules of the API. */
export interface Access {
  /** `user:password` for basic authentication. */
  credentials?: string;
  /** Any of them is accepted, as `Authorization: Bearer …`. */
  tokens?: readonly string[];
  /** Sites whose pages may use the API from a browser; `*` for all. */
  allowedOrigins?: readonly string[];
}
