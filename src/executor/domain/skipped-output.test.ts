import { expect, test } from 'vitest';
import { logFileBytes, SkipDetector } from './skipped-output.ts';

const START = Date.parse('2026-11-29T20:15:00.000Z');
const timeOf = (ms: number) => new Date(START + ms).toISOString().replace('Z', '000000Z');
const MIB = 1024 * 1024;

/** 1000 records of 10 KB in a second, then one after `pause` ms. @param lag between a record and its arrival, in ms */
function flood(pause: number, lag: number, fileBytes = 10 * MIB): boolean {
  const detector = new SkipDetector(fileBytes, timeOf(-1));
  let isSuspect = false;
  for (let ms = 0; ms < 1000; ms += 1) {
    isSuspect ||= detector.isSuspect(timeOf(ms), 10_000, START + ms + lag);
  }
  expect(isSuspect).toBe(false);
  return detector.isSuspect(timeOf(999 + pause), 10_000, START + 999 + pause + lag);
}

test('a pause in a flood that arrives late is suspect, if Docker could have replaced a file in it', () => {
  expect(flood(100, 50)).toBe(true);
  expect(flood(20, 50)).toBe(false);
  expect(flood(100, 5)).toBe(false);
  expect(flood(100, 50, 100 * MIB)).toBe(false);
  expect(flood(100, 50, Number.POSITIVE_INFINITY)).toBe(false);
});

test('a pause of a container that writes little is not suspect', () => {
  const detector = new SkipDetector(10 * MIB, '');
  expect(detector.isSuspect(timeOf(0), 100, START + 100)).toBe(false);
  expect(detector.isSuspect(timeOf(60_000), 100, START + 60_100)).toBe(false);
});

test('the first new record after a request is not suspect', () => {
  const detector = new SkipDetector(10, timeOf(5));
  expect(detector.isSuspect(timeOf(5), 10, START + 10_000)).toBe(false);
  expect(detector.isSuspect(timeOf(9000), 10, START + 10_000)).toBe(false);
  expect(detector.isSuspect(timeOf(9999), 10, START + 11_000)).toBe(true);
});

test.each([
  ['json-file', '10m', 10 * MIB],
  ['json-file', '1.5K', 1536],
  ['json-file', '2gb', 2 * 1024 * MIB],
  ['json-file', '100', 100],
  ['json-file', '-1', Number.POSITIVE_INFINITY],
  ['json-file', undefined, Number.POSITIVE_INFINITY],
  ['local', undefined, 20 * MIB],
  ['journald', '1m', Number.POSITIVE_INFINITY],
])('files of the log driver %s with max-size %s have %d bytes', (Type, size, bytes) => {
  expect(logFileBytes({ Type, Config: size === undefined ? null : { 'max-size': size } })).toBe(bytes);
});
