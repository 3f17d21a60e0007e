/** Who may use the API. */
export interface Access {
  /** `user:password` for basic authentication. */
  credentials?: string;
  /** Each of them will do, as `Authorization: Bearer …`. */
  tokens?: readonly string[];
  /** Sites whose pages may use the API from a browser; `*` is any. */
  allowedOrigins?: readonly string[];
}
