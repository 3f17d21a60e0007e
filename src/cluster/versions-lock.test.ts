import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from '../json.ts';
import { readStored } from '../stored/file.ts';
import { lockFile, storedLock, type VersionsLock } from './versions-lock.ts';

const word = (first: string, rest: string) =>
  fc
    .tuple(
      fc.constantFrom(...first),
      fc.array(fc.constantFrom(...rest), { maxLength: 12 }).map((l) => l.join('')),
    )
    .map((parts) => parts.join(''));
const digest = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
const version = word('19azAZ', '019az.+:~-');
const lockOf: fc.Arbitrary<VersionsLock> = fc
  .record(
    {
      payload: fc.record({ version, sha256: digest }),
      systems: fc
        .array(
          fc.tuple(
            fc.oneof(word('az09', 'az09._-'), fc.constantFrom('constructor', 'debian-12-amd64')),
            fc
              .array(
                fc.tuple(
                  fc.oneof(word('az09', 'az09+.-'), fc.constantFrom('constructor', 'tostring')),
                  fc.record({ version, sha256: digest, taken: fc.nat() }),
                ),
              )
              .map((entries) => new Map(entries)),
          ),
          { maxLength: 4 },
        )
        .map((entries) => new Map(entries)),
    },
    { requiredKeys: ['systems'] },
  )
  .map((lock) => lock as VersionsLock);

/** Reads a file of the lock; undefined when it is refused. */
function read(text: string): VersionsLock | undefined {
  try {
    return readStored(parseJson(text), lockFile, (why) => new Error(why));
  } catch {
    return undefined;
  }
}

const write = (lock: VersionsLock) => JSON.stringify({ format: 1, release: '9', ...storedLock(lock) });
const file = write({
  payload: { version: '1.2.3', sha256: 'a'.repeat(64) },
  systems: new Map([
    [
      'debian-12-amd64',
      new Map([['libc6', { version: '2.36-9+deb12u9', sha256: 'b'.repeat(64), taken: 5 }]]),
    ],
  ]),
});

test('reads every lock that it writes', () => {
  fc.assert(
    fc.property(lockOf, (lock) => {
      expect(read(write(lock))).toEqual(lock);
    }),
  );
});

test('writes names in their order, whatever the order in which hosts took packages', () => {
  const one = (version: string) => ({ version, sha256: 'b'.repeat(64), taken: 1 });
  const lock = (names: string[]) =>
    write({ systems: new Map([['s', new Map(names.map((name) => [name, one('1')]))]]) });
  expect(lock(['b', 'a'])).toBe(lock(['a', 'b']));
});

test('refuses a file that was cut anywhere', () => {
  expect(read(file)).toBeDefined();
  for (let end = 0; end < file.length; end += 1) expect(read(file.slice(0, end))).toBeUndefined();
});

test('refuses text that could become a line of a script or of the preferences of apt', () => {
  const hostile = ['1\n', '1 2', '', '$(id)', '1;2', "1'", '*', '/.*/', '-1', 3, null, {}];
  for (const value of hostile) {
    const found = read(file.replace('"2.36-9+deb12u9"', JSON.stringify(value)));
    expect(found, JSON.stringify(value)).toBeUndefined();
  }
  for (const name of ['lib\nc6', '*', 'libc6 ', '', '-f', '__proto__', 'a'.repeat(129)]) {
    expect(read(file.replace('"libc6"', JSON.stringify(name))), name).toBeUndefined();
    expect(read(file.replace('"debian-12-amd64"', JSON.stringify(name))), name).toBeUndefined();
  }
  for (const value of [-1, 1.5, '5', null]) {
    expect(read(file.replace('"taken":5', `"taken":${JSON.stringify(value)}`))).toBeUndefined();
  }
  expect(read(file.replace('b'.repeat(64), 'B'.repeat(64)))).toBeUndefined();
});

test('names the field that is damaged, missing or unknown', () => {
  const why = (text: string) => {
    try {
      readStored(parseJson(text), lockFile, (reason) => new Error(reason));
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  expect(why(file.replace('"version":"2', '"verse":"2'))).toContain(
    '"systems.debian-12-amd64.libc6.version" is missing',
  );
  expect(why(file.replace('"taken":5', '"taken":5,"size":1'))).toContain(
    '"systems.debian-12-amd64.libc6.size" is unknown',
  );
  expect(why(file.replace('"1.2.3"', '"1/2"'))).toContain('"payload.version" has an unknown value');
  expect(why('{"format":1,"systems":[]}')).toContain('"systems" has an unknown value');
  expect(why('{"format":1,"systems":{"a":3}}')).toContain('"systems.a" has an unknown value');
  expect(why('{"format":2,"systems":{}}')).toContain('a later release wrote it');
});
