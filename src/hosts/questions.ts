/** Asks the user questions while connecting to hosts, each question once. */

export type Question =
  /** The pass phrase of a private key. `again`: the previous answer was wrong. */
  | { readonly kind: 'pass phrase'; readonly file: string; readonly again: boolean }
  /** A question of the host at login: a password or a code. `text` is the host's own prompt; it may contain anything. */
  | { readonly kind: 'login'; readonly host: string; readonly user: string; readonly text: string }
  /** The user's sudo password. */
  | { readonly kind: 'sudo'; readonly host: string; readonly user: string };

/** Resolves to undefined if there is no terminal. Called for one question at a time. */
export type Ask = (question: Question) => Promise<string | undefined>;

/** Asks one question at a time, because there is one terminal. Remembers an answer by a key until it is wrong. */
export class Questions {
  readonly #ask: Ask;
  readonly #answers = new Map<string, Promise<string | undefined>>();
  #last: Promise<unknown> = Promise.resolve();
  #failure: unknown;

  constructor(ask: Ask | undefined) {
    this.#ask = ask ?? (async () => undefined);
  }

  /** The error of a failed question, for example Ctrl-C at a prompt. No question is asked after it. */
  get failure(): unknown {
    return this.#failure;
  }

  /** @throws the error of a failed question */
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

  /** Asks the same question of several runs only once. */
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
