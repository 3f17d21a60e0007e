/** The cluster's secrets, and the marks that replace them in texts for people and files. */

/** Each secret authenticates one kind of client. */
export const SECRET_NAMES = [
  'agent', // agents to the master: principal `mesos-agent`
  'scheduler', // the framework to the master: principal `mesosup`
  'operator', // people and this program to masters' and agents' HTTP endpoints: principal `operator`
  'executor-key', // agents sign the tokens of their executors with it
  'zookeeper-mesos', // user `mesos` of ZooKeeper: the masters' znodes
  'zookeeper-scheduler', // user `mesosup` of ZooKeeper: the scheduler's znodes
  'api', // people to the scheduler's API: user `mesosup`
] as const;

export type SecretName = (typeof SECRET_NAMES)[number];

/** Values are base64url, so they need no escaping in JSON, URLs or configuration files. */
export type Secrets = Readonly<Record<SecretName, string>>;

/**
 * Text in which secrets stand as marks (`secretMark`), so that a plan can be shown and saved. They are put in only for
 * a file's digest and in the script for the host.
 */
export type MarkedText = string;

const MARK = /⟦secret:([a-z-]+)⟧/g;

/** Returns the mark that represents a secret in a text. */
export function secretMark(name: SecretName): string {
  return `⟦secret:${name}⟧`;
}

export function hasSecret(text: string): boolean {
  return text.search(MARK) >= 0;
}

/** Replaces each mark by its secret. @throws TypeError for a mark with an unknown name */
export function reveal(text: string, secrets: Secrets): string {
  return text.replace(MARK, (_mark, name: string) => {
    const value = Object.entries(secrets).find(([known]) => known === name)?.[1];
    if (value === undefined) throw new TypeError(`there is no secret "${name}"`);
    return value;
  });
}

/** Replaces each mark by dots, for people. */
export function conceal(text: string): string {
  return text.replace(MARK, '••••••••');
}

/** Makes new secrets. @param random returns the requested number of random bytes */
export function generateSecrets(random: (bytes: number) => Uint8Array): Secrets {
  const entries = SECRET_NAMES.map((name) => [name, Buffer.from(random(32)).toString('base64url')] as const);
  return Object.fromEntries(entries) as Record<SecretName, string>;
}
