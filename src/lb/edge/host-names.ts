/** Looks up the addresses of hosts. haproxy itself gets addresses only: a name that can't be found would stop its start. */

import { lookup } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ipVersion } from '../address.ts';

const VALID_MS = 60_000;
/** A name server that does not answer must not delay the changes of all other hosts. */
const PATIENCE_MS = 500;

interface Known {
  readonly address: string | undefined;
  readonly until: number;
}

export class HostNames {
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #lookUp: (name: string) => Promise<{ readonly address: string }>;

  /** @param lookUp for tests */
  constructor(lookUp: (name: string) => Promise<{ readonly address: string }> = lookup) {
    this.#lookUp = lookUp;
  }

  /** The last known address; undefined if there was none. */
  readonly resolve = (host: string): string | undefined =>
    ipVersion(host) === 0 ? this.#known.get(host)?.address : host;

  /**
   * Looks up all names that are unknown or were looked up long ago. One that takes long is known at a later call.
   * @returns the names without an address
   */
  async refresh(hosts: Iterable<string>, now: number): Promise<string[]> {
    const names = [...new Set(hosts)].filter((host) => ipVersion(host) === 0);
    const isValid = (name: string) => {
      const known = this.#known.get(name);
      return known?.address !== undefined && known.until > now;
    };
    const asked = names.filter((name) => !isValid(name)).map((name) => this.#ask(name, now));
    if (asked.length > 0) {
      const enough = new AbortController();
      const late = sleep(PATIENCE_MS, undefined, { signal: enough.signal }).catch(() => undefined);
      await Promise.race([Promise.all(asked), late]);
      enough.abort();
    }
    return names.filter((name) => this.resolve(name) === undefined);
  }

  /** Each name is looked up once at a time. */
  #ask(name: string, now: number): Promise<void> {
    const running = this.#asked.get(name);
    if (running) return running;
    const one = this.#lookUp(name)
      .catch(() => undefined)
      .then((found) => {
        const address = found?.address ?? this.#known.get(name)?.address;
        this.#known.set(name, { address, until: now + VALID_MS });
        this.#asked.delete(name);
      });
    this.#asked.set(name, one);
    return one;
  }
}
