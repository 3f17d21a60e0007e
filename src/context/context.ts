/** A context: a cluster whose scheduler commands talk to, with the credentials for it. */

import { UsageError } from '../errors/mesosup-error.ts';
import { didYouMean } from '../text/suggest.ts';

export type Credentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string };

/** `installed`: a cluster that was installed from this machine. `demo`: the running demo. */
export type Source = 'added' | 'installed' | 'demo' | 'environment';

export interface Context {
  readonly name: string;
  readonly source: Source;
  /** URLs of its schedulers; empty for an installed cluster without schedulers. */
  readonly urls: readonly string[];
  readonly credentials?: Credentials | undefined;
  /** File of the certificates, in PEM, that the schedulers' certificates are verified with. Default: the system's. */
  readonly caFile?: string | undefined;
}

/** What a user has chosen, from the strongest to the weakest. */
export interface Choice {
  /** The value of `--context`. */
  readonly flag?: string | undefined;
  /** The flag or argument that has this value. */
  readonly where?: string;
  readonly environment: {
    readonly MESOSUP_CONTEXT?: string | undefined;
    readonly MESOSUP_URL?: string | undefined;
    readonly MESOSUP_TOKEN?: string | undefined;
  };
  /** The context of `mesosup context use`. */
  readonly current?: string | undefined;
}

/** Chooses the URL of the environment, or one of the known contexts. @throws UsageError if there is no clear choice */
export function chooseContext(
  { flag, where = '--context', environment, current }: Choice,
  known: readonly string[],
): { readonly name: string } | { readonly url: string } {
  const { MESOSUP_URL: url, MESOSUP_CONTEXT: named } = environment;
  if (flag !== undefined) return { name: knownName(flag, known, where) };
  if (url && named) {
    throw new UsageError('MESOSUP_URL and MESOSUP_CONTEXT are both set: unset one of them, or use --context');
  }
  if (url) return { url };
  if (named) return { name: knownName(named, known, 'MESOSUP_CONTEXT') };
  if (current !== undefined) return { name: knownName(current, known, 'The context in use') };
  const [first, ...others] = known;
  if (first === undefined) {
    throw new UsageError('no cluster is known', {
      remedy:
        'Start one with "mesosup demo --detach" or "mesosup install", or add one with "mesosup context add NAME URL".',
    });
  }
  if (others.length === 0) return { name: first };
  throw new UsageError(`several clusters are known: ${known.join(', ')}`, {
    remedy: 'Choose one with --context NAME, or for all commands with "mesosup context use NAME".',
  });
}

function knownName(name: string, known: readonly string[], where: string): string {
  if (known.includes(name)) return name;
  const list = known.length > 0 ? `known: ${known.join(', ')}` : 'none is known';
  throw new UsageError(`${where} is "${name}", which is not a context${didYouMean(name, known)}`, {
    remedy: `Show the contexts with "mesosup context list" (${list}).`,
  });
}

/** Checks a URL of a scheduler, and removes a slash at its end. @throws UsageError */
export function checkUrl(text: string, where: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `${where} is "${withoutUser(text)}": expected a URL such as https://scheduler.example:8443`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${where} contains a user or password, which other programs could see`, {
      remedy: 'Add the cluster with "mesosup context add NAME URL --user USER", which asks for the password.',
    });
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(`${where} is "${text}": expected a URL without ? and #`);
  }
  return text.replace(/\/+$/, '');
}

/** A text with a password must not be repeated in a message. */
function withoutUser(text: string): string {
  return text.replace(/^(\w+:\/\/)?.*@/s, '$1…@');
}

const NAME = /^[A-Za-z0-9][\w.-]{0,62}$/;

/** @throws UsageError */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw new UsageError(
    `"${name}" is not a name of a context: use up to 63 letters, digits, ".", "_" and "-"`,
  );
}

/** Lines for `curl -K -`. @throws UsageError for credentials that curl's format can't contain */
export function curlConfig({ name, credentials, caFile }: Context): string {
  const lines = [
    ...(credentials?.kind === 'password'
      ? [`user = ${curlText(`${credentials.user}:${credentials.password}`)}`]
      : []),
    ...(credentials?.kind === 'token'
      ? [`header = ${curlText(`Authorization: Bearer ${credentials.token}`)}`]
      : []),
    ...(caFile === undefined ? [] : [`cacert = ${curlText(caFile)}`]),
  ];
  return lines.length > 0 ? lines.join('\n') : `# ${name} needs no credentials`;
}

function curlText(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}"`;
}
