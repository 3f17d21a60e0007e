/** Looks up the addresses of hosts. haproxy itself gets addresses only: a name that can't be found would stop its start. */

import { lookup } from 'node:dns/promises';
import { ipVersion } from '../address.ts';

const VALID_MS = 60_000;

interface Known {
  readonly address: string | undefined;
  readonly until: number;
}

export class HostNames {
  readonly #known = new Map<string, Known>();

  /** The last known address; undefined if there was none. */
  readonly resolve = (host: string): string | undefined =>
    ipVersion(host) === 0 ? this.#known.get(host)?.address : host;

  /** Looks up all names that are unknown or were looked up long ago. @returns the names without an address */
  async refresh(hosts: Iterable<string>, now: number): Promise<string[]> {
    const names = [...new Set(hosts)].filter((host) => ipVersion(host) === 0);
    await Promise.all(
      names.map(async (name) => {
        const known = this.#known.get(name);
        if (known?.address !== undefined && known.until > now) return;
        const found = await lookup(name).catch(() => undefined);
        this.#known.set(name, { address: found?.address ?? known?.address, until: now + VALID_MS });
      }),
    );
    return names.filter((name) => this.resolve(name) === undefined);
  }
}
