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

/** @returns how to connect to a URL: one with `https:` needs TLS, whatever the mode */
export function tlsForUrl({ protocol }: Pick<URL, 'protocol'>, tls: ClientTls): ClientTls {
  return protocol === 'https:' ? { ...tls, mode: 'required' } : tls;
}

/** The settings of a program that is a client and has a port of its own, by its flags. */
export type ProgramTls = ClientTls;

/**
 * @param values of `--tls`, `--ca-file`, `--cert-file` and `--key-file`
 * @returns the settings, or what is wrong with the flags
 */
export function programTls(
  values: Readonly<Record<'tls' | 'ca-file' | 'cert-file' | 'key-file', string | undefined>>,
): { readonly tls: ProgramTls } | { readonly problem: string } {
  const { tls: mode = 'off', 'ca-file': ca, 'cert-file': cert, 'key-file': key } = values;
  if (!isTlsMode(mode)) return { problem: `--tls is '${mode}': expected one of ${TLS_MODES.join(', ')}` };
  if ((cert === undefined) !== (key === undefined))
    return { problem: 'a certificate needs its key: set both --cert-file and --key-file' };
  if (mode !== 'off' && cert === undefined)
    return { problem: `--tls=${mode} needs a certificate for the own port: set --cert-file and --key-file` };
  return {
    tls: {
      mode,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    },
  };
}
