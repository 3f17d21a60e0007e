/**
 * RecordIO, the framing of Mesos' event streams: `<length of the record in bytes, decimal>\n<record>`. Works on bytes,
 * since lengths count bytes and chunks may contain parts of records or several records.
 */

const NEWLINE = 0x0a;
const ZERO = 0x30;
const NINE = 0x39;
/** Enough digits for the length of any record within the size limit. */
const MAX_LENGTH_DIGITS = 10;

/** The framing is invalid, or a record exceeds the size limit. The connection can't be used any more. */
export class RecordIoError extends Error {
  override name = 'RecordIoError';
}

/** Frames one record. */
export function encodeRecord(record: string | Uint8Array): Buffer {
  const body = typeof record === 'string' ? Buffer.from(record, 'utf8') : record;
  return Buffer.concat([Buffer.from(`${body.length}\n`, 'ascii'), body]);
}

/**
 * Decodes a stream of bytes into records. `push` takes the next chunk, of any size, and returns the records it
 * completes. Each byte is copied at most twice, for any chunk sizes.
 */
export class RecordIoDecoder {
  readonly #maxBytes: number;
  #digits = 0;
  #length = 0;
  /** The record being read; undefined while its length is being read. */
  #record: Buffer | undefined;
  #filled = 0;
  #failed: RecordIoError | undefined;

  /** @param maxBytes size limit of a record. Default: 64 MiB. */
  constructor(maxBytes = 64 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /** @throws RecordIoError for invalid framing or a record over the limit; every later push throws it again. */
  push(chunk: Uint8Array): Buffer[] {
    if (this.#failed) throw this.#failed;
    const records: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#record) {
        const take = Math.min(this.#record.length - this.#filled, chunk.length - at);
        this.#record.set(chunk.subarray(at, at + take), this.#filled);
        this.#filled += take;
        at += take;
      } else {
        this.#readLengthByte(chunk[at] as number);
        at += 1;
      }
      if (this.#record && this.#filled === this.#record.length) {
        records.push(this.#record);
        this.#record = undefined;
        this.#filled = 0;
      }
    }
    return records;
  }

  /** True between records. A stream that ends at another point was truncated. */
  get atBoundary(): boolean {
    return !this.#record && this.#digits === 0;
  }

  #readLengthByte(byte: number): void {
    if (byte === NEWLINE && this.#digits > 0) {
      if (this.#length > this.#maxBytes) {
        this.#fail(`a record of ${this.#length} bytes exceeds the limit of ${this.#maxBytes}`);
      }
      this.#record = Buffer.alloc(this.#length);
      this.#digits = 0;
      this.#length = 0;
    } else if (byte >= ZERO && byte <= NINE && this.#digits < MAX_LENGTH_DIGITS) {
      this.#length = this.#length * 10 + (byte - ZERO);
      this.#digits += 1;
    } else {
      this.#fail(`expected a record's length in decimal, got byte 0x${byte.toString(16).padStart(2, '0')}`);
    }
  }

  #fail(message: string): never {
    this.#failed = new RecordIoError(`RecordIO: ${message}`);
    throw this.#failed;
  }
}
