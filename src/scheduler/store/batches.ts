/**
 * Splits batches of events into znodes that stay well below ZooKeeper's 1 MB. The znode `e<number>` holds one line with
 * the number of parts, and the last part; the other parts, `p<number>-<index>`, are written before it.
 */

import type { StoredEvent } from '../domain/events.ts';

const DIGITS = 10;
/** Number of events that a snapshot writes and a start reads at once: some milliseconds of work. */
const EVENTS_PER_BATCH = 500;

export interface Part {
  readonly name: string;
  readonly data: Buffer;
}

/** Divides the events of a snapshot. */
export function* inBatches(events: Iterable<StoredEvent>): Iterable<StoredEvent[]> {
  let batch: StoredEvent[] = [];
  for (const event of events) {
    batch.push(event);
    if (batch.length < EVENTS_PER_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

export function encodeEvents(events: readonly StoredEvent[]): Buffer {
  return Buffer.from(JSON.stringify(events), 'utf8');
}

/**
 * @param body of `encodeEvents`
 * @returns the znodes of a batch in the order of writing; the batch is valid once the last znode exists
 */
export function encodeBatch(number: number, body: Buffer, bytesPerPart: number): Part[] {
  const count = Math.max(1, Math.ceil(body.length / bytesPerPart));
  const parts = Array.from({ length: count }, (_, i) =>
    body.subarray(i * bytesPerPart, (i + 1) * bytesPerPart),
  );
  const head = Buffer.from(`${JSON.stringify({ parts: count })}\n`, 'utf8');
  return parts.map((data, i) =>
    i < count - 1
      ? { name: partName(number, i), data }
      : { name: batchName(number), data: Buffer.concat([head, data]) },
  );
}

/**
 * @param data of the last znode
 * @param partsBefore reads another part by name
 * @returns the text that `decodeEvents` reads
 * @throws SyntaxError if the data is not a batch
 */
export async function joinBatch(
  number: number,
  data: Buffer,
  partsBefore: (name: string) => Promise<Buffer>,
): Promise<Buffer> {
  const end = data.indexOf(0x0a);
  const { parts } = JSON.parse(data.subarray(0, Math.max(0, end)).toString('utf8')) as { parts: number };
  const before = await Promise.all(
    Array.from({ length: parts - 1 }, (_, i) => partsBefore(partName(number, i))),
  );
  return Buffer.concat([...before, data.subarray(end + 1)]);
}

/** @returns events that are not yet validated @throws SyntaxError */
export function decodeEvents(body: Buffer): unknown[] {
  return JSON.parse(body.toString('utf8')) as unknown[];
}

export interface Contents {
  /** The numbers of complete batches, in order. */
  readonly batches: readonly number[];
  /** Parts of batches that were never completed. */
  readonly torn: readonly string[];
}

/** Classifies the znodes of a generation by name. */
export function listContents(names: readonly string[]): Contents {
  const batches = names
    .flatMap((name) => /^e(\d{10})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const whole = new Set(batches);
  const torn = names.filter((name) => {
    const number = /^p(\d{10})-\d+$/.exec(name)?.[1];
    return number !== undefined && !whole.has(Number(number));
  });
  return { batches, torn };
}

export function batchName(number: number): string {
  return `e${String(number).padStart(DIGITS, '0')}`;
}

function partName(number: number, index: number): string {
  return `p${String(number).padStart(DIGITS, '0')}-${index}`;
}
