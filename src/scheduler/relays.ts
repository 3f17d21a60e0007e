/**
 * Recognizes the schedulers that forward requests, by their addresses. Anyone can send their headers: a client that
 * claims to be a scheduler could name another address for each password that it tries.
 */

import { lookup } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { VIA } from './api/client-origin.ts';
import { plainAddress } from './sign-in/attempts.ts';

const EVERY_MS = 10_000;

type Lookup = (host: string) => Promise<readonly string[]>;

const lookupAll: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

export class Relays {
  readonly #lookup: Lookup;
  #addresses: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(lookupHost: Lookup = lookupAll) {
    this.#lookup = lookupHost;
  }

  /** Learns the addresses of the schedulers, again and again. @param list returns `host:port` of each */
  follow(list: () => Promise<readonly string[]>): void {
    const read = () => void this.#read(list).catch(() => {});
    read();
    this.#timer = setInterval(read, EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** @returns the request; without the mark of a forwarded one, unless it is from the address of a scheduler */
  checked(request: IncomingMessage): IncomingMessage {
    const { headers, socket } = request;
    if (headers[VIA] !== undefined && !this.#addresses.has(plainAddress(socket.remoteAddress ?? '')))
      delete headers[VIA];
    return request;
  }

  /** Keeps the last addresses if ZooKeeper does not answer, and those of a name that can't be looked up now. */
  async #read(list: () => Promise<readonly string[]>): Promise<void> {
    const hosts = (await list()).map((one) => one.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
    const found = await Promise.all(hosts.map((host) => this.#lookup(host).catch(() => undefined)));
    const kept = found.includes(undefined) ? this.#addresses : [];
    this.#addresses = new Set([...kept, ...found.flatMap((all) => all ?? []).map(plainAddress)]);
  }
}
