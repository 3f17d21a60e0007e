/**
 * A user's keys in the order in which they are offered: named keys (from the agent if it holds them), the agent's other
 * keys, the default files. ssh2 sees all of them as one agent. This gives control over the order, and a key is
 * unlocked only after the host has said that it would accept it.
 */

import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import type { HostError } from '../host.ts';
import { type KeyFile, readKeyFile, type UnlockedKeys } from './key-files.ts';
import type { ConnectionPlan } from './route.ts';

interface Identity {
  readonly publicKey: ParsedKey;
  readonly shown: string;
  sign(data: Buffer, hash: SigningRequestOptions): Promise<Buffer>;
}

/** Runs a question to the user while the timeout of the handshake is paused. */
export type Pause = <T>(work: () => Promise<T>) => Promise<T>;

export class Identities extends ssh2.BaseAgent<ParsedKey> {
  /** The offered keys, for messages. */
  readonly offered: string[] = [];
  /** Keys that could not be offered, with the reason. */
  readonly problems: string[] = [];
  /** The error of a key that the host would accept but that could not sign. */
  failure: HostError | Error | null = null;
  readonly #plan: ConnectionPlan;
  readonly #unlocked: UnlockedKeys;
  readonly #pause: Pause;
  readonly #identities = new Map<string, Identity>();

  constructor(plan: ConnectionPlan, unlocked: UnlockedKeys, pause: Pause) {
    super();
    this.#plan = plan;
    this.#unlocked = unlocked;
    this.#pause = pause;
  }

  getIdentities(callback: IdentityCallback<ParsedKey>): void {
    this.#list().then(
      () =>
        callback(
          null,
          [...this.#identities.values()].map(({ publicKey }) => publicKey),
        ),
      (error: Error) => {
        this.failure = error;
        callback(error);
      },
    );
  }

  sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const [hash, done] = typeof options === 'function' ? [{}, options] : [options, callback];
    const identity = this.#identities.get(id(key));
    const signed = identity
      ? identity.sign(data, hash)
      : Promise.reject(new Error('a key that was not offered'));
    signed.then(
      (signature) => done?.(null, signature),
      (error: Error) => {
        this.failure = error;
        done?.(error);
      },
    );
  }

  async #list(): Promise<void> {
    const { agent, identities, identitiesOnly } = this.#plan;
    const held = agent === null ? [] : await this.#fromAgent(agent);
    const uid = process.getuid?.() ?? 0;
    const files = await Promise.all(
      identities.map(async ({ file, named }) => ({ named, key: await readKeyFile(file, named, uid) })),
    );
    for (const { named, key } of files) {
      if ('problem' in key) {
        if (key.problem !== '') this.problems.push(key.problem);
      } else if (named) await this.#addFile(key, held);
    }
    if (!identitiesOnly) for (const identity of held) this.#add(identity);
    for (const { named, key } of files) if (!named && !('problem' in key)) await this.#addFile(key, held);
  }

  async #addFile(key: KeyFile, held: readonly Identity[]): Promise<void> {
    const { file, text } = key;
    const unlock = async (content: string) =>
      this.#pause(() => this.#unlocked.unlock(this.#plan.host, file, content));
    const publicKey = key.publicKey ?? (text === null ? null : await unlock(text));
    if (!publicKey) return;
    const inAgent = held.find((identity) => id(identity.publicKey) === id(publicKey));
    if (inAgent) return this.#add(inAgent);
    if (text === null) {
      this.problems.push(`${file} is a public key, and no agent has its private key`);
      return;
    }
    const sign = async (data: Buffer, { hash }: SigningRequestOptions) => {
      const signature: Buffer | Error = (await unlock(text)).sign(data, hash);
      if (signature instanceof Error) throw signature;
      return signature;
    };
    this.#add({ publicKey, shown: file, sign });
  }

  #add(identity: Identity): void {
    const key = id(identity.publicKey);
    if (this.#identities.has(key)) return;
    this.#identities.set(key, identity);
    this.offered.push(identity.shown);
  }

  /** An agent that doesn't answer is recorded as a problem; the login continues with the other keys. */
  #fromAgent(socket: string): Promise<Identity[]> {
    const agent = new ssh2.OpenSSHAgent(socket);
    return new Promise((resolve) => {
      agent.getIdentities((error, keys) => {
        if (error) this.problems.push(`the SSH agent at ${socket} does not answer`);
        const parsed = (keys ?? []).flatMap((key) => {
          const publicKey = ssh2.utils.parseKey(key as ParsedKey);
          return publicKey instanceof Error ? [] : [publicKey];
        });
        resolve(
          parsed.map((publicKey) => ({
            publicKey,
            shown: `${publicKey.comment || publicKey.type} of the agent`,
            sign: (data, options) => signWith(agent, publicKey, data, options),
          })),
        );
      });
    });
  }
}

function signWith(
  agent: InstanceType<typeof ssh2.OpenSSHAgent>,
  key: ParsedKey,
  data: Buffer,
  options: SigningRequestOptions,
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  agent.sign(key, data, options, (error, signature) => {
    if (signature) resolve(signature);
    else reject(error ?? new Error('the SSH agent returned no signature'));
  });
  return promise;
}

function id(key: ParsedKey): string {
  return key.getPublicSSH().toString('base64');
}
