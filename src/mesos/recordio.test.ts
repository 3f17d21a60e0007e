import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRecord, RecordIoDecoder, RecordIoError } from './recordio.ts';

const fixture = (name: string) => readFileSync(new URL(`../../test/fixtures/mesos/${name}`, import.meta.url));

/** Splits bytes at the given positions (any numbers; taken modulo the length). */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('RecordIoDecoder', () => {
  it('decodes any records, for any chunk sizes', () => {
    const records = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });
    fc.assert(
      fc.property(records, fc.array(fc.nat(4000), { maxLength: 40 }), (sent, places) => {
        const decoder = new RecordIoDecoder();
        const stream = Buffer.concat(sent.map((record) => encodeRecord(record)));
        const got = cut(stream, places).flatMap((chunk) => decoder.push(chunk));
        expect(got).toEqual(sent.map((record) => Buffer.from(record)));
        expect(decoder.atBoundary).toBe(true);
      }),
    );
  });

  it('counts bytes, not characters', () => {
    expect(encodeRecord('é€').toString('utf8')).toBe('5\né€');
    expect(new RecordIoDecoder().push(encodeRecord('é€'))[0]?.toString('utf8')).toBe('é€');
  });

  it('detects if a stream ended between records', () => {
    const bytes = encodeRecord('abc');
    for (let end = 0; end <= bytes.length; end += 1) {
      const decoder = new RecordIoDecoder();
      decoder.push(bytes.subarray(0, end));
      expect(decoder.atBoundary).toBe(end === 0 || end === bytes.length);
    }
  });

  it('accepts a record at the size limit and refuses one byte more, before it has arrived', () => {
    expect(new RecordIoDecoder(3).push(Buffer.from('3\nabc'))).toEqual([Buffer.from('abc')]);
    expect(() => new RecordIoDecoder(3).push(Buffer.from('4\n'))).toThrow('4 bytes exceeds the limit of 3');
  });

  it.each([
    ['a letter for a length', 'x'],
    ['no length at all', '\n'],
    ['a sign', '-1\n'],
    ['a length of too many digits', '12345678901\n'],
    ['a space after the length', '5 \nhello'],
  ])('refuses %s', (_, bytes) => {
    expect(() => new RecordIoDecoder().push(Buffer.from(bytes))).toThrow(RecordIoError);
  });

  it('throws again after invalid framing', () => {
    const decoder = new RecordIoDecoder();
    expect(() => decoder.push(Buffer.from('x'))).toThrow(RecordIoError);
    expect(() => decoder.push(encodeRecord('fine'))).toThrow('got byte 0x78');
  });

  /** Decodes a transcript in chunks of `size` bytes. */
  function replay(bytes: Buffer, size: number): unknown[] {
    const decoder = new RecordIoDecoder();
    const events: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      for (const record of decoder.push(bytes.subarray(at, at + size))) {
        events.push(JSON.parse(record.toString('utf8')));
      }
    }
    expect(decoder.atBoundary).toBe(true);
    return events;
  }

  describe.each([1, 7, 1000, 1_000_000])('replays the transcripts in chunks of %i bytes:', (size) => {
    const lines = (name: string) =>
      fixture(name)
        .toString('utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);

    it("a scheduler's", () => {
      expect(replay(fixture('scheduler-stream.recordio'), size)).toEqual(lines('scheduler-events.jsonl'));
    });

    it("an executor's", () => {
      // The two files have different paths of the executor and are equal otherwise.
      const command = '/var/lib/mesos/executors/docker johncosta/redis';
      const events = JSON.stringify(replay(fixture('executor-stream.recordio'), size));
      const renamed = events.replaceAll('/var/lib/exec.mjs johncosta/redis', command);
      expect(JSON.parse(renamed)).toEqual(lines('executor-events.jsonl'));
    });

    it("a second scheduler's with the same framework id", () => {
      const events = replay(fixture('scheduler-failover.recordio'), size) as { type: string }[];
      expect(events.map((event) => event.type)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
    });
  });
});
