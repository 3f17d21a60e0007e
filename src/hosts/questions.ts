/** What a person may be asked on the way to a host, and that each thing is asked once. */

export type Question =
  /** The pass phrase of a private key. `again`: the last answer was wrong. */
  | { readonly kind: 'pass phrase'; readonly file: string; readonly again: boolean }
  /** What the host itself asks for at login: a password, or a code. `text` is its own words, which may be any. */
  | { readonly kind: 'login'; readonly host: string; readonly user: string; readonly text: string }
  /** The password with which the user becomes root. */
  | { readonly kind: 'sudo'; readonly host: string; readonly user: string };

/** Undefined when there is nobody to answer. Questions come one at a time. */
export type Ask = (question: Question) => Promise<string | undefined>;

/** Asks one question at a time, since there is one terminal, and remembers an answer under a key while it is right. */
export class Questions {
  readonly #ask: Ask;
  readonly #answers = new Map<string, Promise<string | undefined>>();
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  constructor(ask: Ask | undefined) {
    this.#ask = ask ?? (async () => undefined);
  }

  /** What asking failed with, as when a person ends the program at a prompt; then nothing is asked any more. */
  get failure(): unknown {
    return this.#failure;
  }

  /** @throws what asking fails with */
  ask(question: Question): Promise<string | undefined> {
    const answer = this.#last.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#ask(question);
    });
    this.#last = answer.catch((error: unknown) => {
      this.#failure ??= error;
    });
    return answer;
  }

  /** The same question of several runs is asked once. */
  once(key: string, question: Question): Promise<string | undefined> {
    const known = this.#answers.get(key);
    if (known) return known;
    const answer = this.ask(question);
    this.#answers.set(key, answer);
    return answer;
  }

  forget(key: string): void {
    this.#answers.delete(key);
  }
}
