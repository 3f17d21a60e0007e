/**
 * Slows down guessing of passwords. Each wrong password fills a few buckets, which leak: while one of them is full,
 * passwords are refused without a check. Pure: times are arguments, in milliseconds since the epoch.
 */

interface Bucket {
  /** Wrong passwords that it takes at once. */
  readonly capacity: number;
  /** Time in which it makes room for one more. */
  readonly leakMs: number;
}

const BUCKETS = {
  /** For a name from an address. Fills before the bucket of the address, so that one program with an old password does not keep others out. */
  pair: { capacity: 10, leakMs: 6000 },
  address: { capacity: 30, leakMs: 3000 },
  name: { capacity: 50, leakMs: 2000 },
  /** For a scheduler that forwards requests, which tells the addresses of clients: anyone could claim to be one. */
  relay: { capacity: 300, leakMs: 200 },
} satisfies Record<string, Bucket>;

/** Enough for the wrong passwords of some minutes; each takes about 100 bytes. */
const MAX_REMEMBERED = 10_000;
/** The oldest buckets, of which one is forgotten. */
const CANDIDATES = 8;

/** Where a password comes from. */
export interface Origin {
  readonly address: string;
  /** The address of the scheduler that forwarded the request. */
  readonly relay?: string;
}

interface Level {
  readonly level: number;
  readonly at: number;
  readonly leakMs: number;
}

export class Attempts {
  /** Levels of the buckets that are not empty, by time of the last wrong password. */
  readonly #levels = new Map<string, Level>();

  /** @returns the time in milliseconds to wait before a password may be checked; 0: none */
  waitFor(name: string, origin: Origin, now: number): number {
    const waits = keysOf(name, origin).map(([key, { capacity, leakMs }]) => {
      const excess = levelAt(this.#levels.get(key), now) - (capacity - 1);
      return Math.ceil(Math.max(0, excess) * leakMs);
    });
    return Math.max(...waits);
  }

  /** Counts a wrong password. */
  fail(name: string, origin: Origin, now: number): void {
    for (const [key, { leakMs }] of keysOf(name, origin)) {
      const level = levelAt(this.#levels.get(key), now) + 1;
      // Moves it to the end: the first ones are forgotten first.
      this.#levels.delete(key);
      this.#levels.set(key, { level, at: now, leakMs });
    }
    while (this.#levels.size > MAX_REMEMBERED) this.#forget(now);
  }

  /** Forgets the emptiest of the oldest buckets: wrong passwords for other names must not empty a full one. */
  #forget(now: number): void {
    let emptiest: { readonly key: string; readonly level: number } | undefined;
    let looked = 0;
    for (const [key, stored] of this.#levels) {
      const level = levelAt(stored, now);
      if (!emptiest || level < emptiest.level) emptiest = { key, level };
      looked += 1;
      if (looked === CANDIDATES) break;
    }
    if (emptiest) this.#levels.delete(emptiest.key);
  }

  get remembered(): number {
    return this.#levels.size;
  }
}

function levelAt(stored: Level | undefined, now: number): number {
  if (!stored) return 0;
  return Math.max(0, stored.level - Math.max(0, now - stored.at) / stored.leakMs);
}

function keysOf(name: string, { address, relay }: Origin): [key: string, bucket: Bucket][] {
  const from = networkOf(address);
  // Bounds the memory of a long name; a name that is cut off is no user's.
  const short = name.slice(0, 100);
  return [
    [`pair ${from} ${short}`, BUCKETS.pair],
    [`address ${from}`, BUCKETS.address],
    [`name ${short}`, BUCKETS.name],
    ...(relay === undefined ? [] : [[`relay ${relay}`, BUCKETS.relay] as [string, Bucket]]),
  ];
}

/** An IPv4 address is mapped to IPv6 on a socket that takes both. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, '').toLowerCase();
}

/** @returns an IPv4 address, or the network of an IPv6 address, since a client has all addresses of such a network */
function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const first = head.split(':').filter((one) => one !== '');
  const last = tail?.split(':').filter((one) => one !== '') ?? [];
  const zeros = Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
