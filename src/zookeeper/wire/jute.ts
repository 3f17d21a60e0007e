/**
 * Jute, ZooKeeper's serialization, as defined by BinaryOutputArchive and BinaryInputArchive. Numbers are big-endian, a
 * boolean is one byte, strings (UTF-8) and buffers follow their length, vectors follow their count. A length of -1 means
 * null. A record consists of its fields in the order of `zookeeper.jute`.
 */

/** A server sent bytes that are not ZooKeeper's protocol. */
export class WireError extends Error {
  override name = 'WireError';
}

/** The size of a long. Ids and zxids stay 8 bytes, since no code calculates with them. */
export const LONG_BYTES = 8;

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function boolean(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

export function buffer(value: Uint8Array): Buffer {
  return Buffer.concat([int(value.length), value]);
}

export function string(value: string): Buffer {
  return buffer(Buffer.from(value, 'utf8'));
}

/** @param items encoded items */
export function vector(items: readonly Buffer[]): Buffer {
  return Buffer.concat([int(items.length), ...items]);
}

/** Reads the fields of records in order. Each method throws WireError if the bytes don't contain the field. */
export class JuteReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#take(4).readInt32BE();
  }

  /** Returns a copy. */
  long(): Buffer {
    return Buffer.from(this.#take(LONG_BYTES));
  }

  boolean(): boolean {
    return this.#take(1)[0] !== 0;
  }

  /** Returns a copy, so that a few bytes don't keep a complete packet in memory. Null is read as empty. */
  buffer(): Buffer {
    return Buffer.from(this.#take(this.#length()));
  }

  /** Null is read as empty. */
  string(): string {
    return this.#take(this.#length()).toString('utf8');
  }

  /** `item` reads one item. Null is read as empty. */
  vector<T>(item: () => T): T[] {
    const items: T[] = [];
    // A wrong count fails at the end of the bytes, since no item is empty.
    for (let left = this.#length(); left > 0; left -= 1) items.push(item());
    return items;
  }

  #length(): number {
    const length = this.int();
    if (length < -1) throw new WireError(`${length} is not a length`);
    return Math.max(0, length);
  }

  #take(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) {
      throw new WireError(`a field of ${length} bytes exceeds its packet of ${this.#bytes.length} bytes`);
    }
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }
}
