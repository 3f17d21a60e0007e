/** How a program uses TLS, as values. Pure. */

/**
 * `off`: plain text. `preferred`: TLS first, plain text if the other end does not take it, as Mesos does with
 * `LIBPROCESS_SSL_SUPPORT_DOWNGRADE`. `required`: TLS only.
 */
export const TLS_MODES = ['off', 'preferred', 'required'] as const;

export type TlsMode = (typeof TLS_MODES)[number];

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificates that verify other programs. Default: those of the system. */
  readonly ca?: string;
  /** The program's own certificate with its chain, and its key: what it shows as a server and as a client. */
  readonly cert?: string;
  readonly key?: string;
}

/** How a program connects to others. */
export interface ClientTls extends TlsFiles {
  readonly mode: TlsMode;
  /** False: the server's certificate is not verified. Only Mesos has this, and it is its default. */
  readonly verifies?: boolean;
  /** True: without `ca`, servers that show this program's own certificate are trusted, too. */
  readonly trustsOwn?: boolean;
}

/** How a program listens. */
export interface ServerTls extends TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** True if the port takes plain text, too. */
  readonly plainToo: boolean;
  /** True if clients need a certificate that `ca` verifies. */
  readonly requiresClients: boolean;
}

export function isTlsMode(text: unknown): text is TlsMode {
  return TLS_MODES.some((one) => one === text);
}
