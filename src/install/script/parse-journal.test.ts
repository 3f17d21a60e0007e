import { expect, test } from 'vitest';
import { parseRunEvent } from './parse-events.ts';
import { parseJournal, parseRun } from './parse-journal.ts';

test('uses the first of two entries for one resource, and skips a truncated line', () => {
  const first = { kind: 'file', path: '/a', before: 'absent' } as const;
  const facts = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: 'ab' } as const;
  const rows = [
    first,
    { kind: 'link', path: '/a', before: { facts, backup: 'ab' } },
    { kind: 'package', name: 'a', before: { version: '1' } },
    { kind: 'service', name: 'a', before: { enabled: 'masked', running: true } },
    { kind: 'user', name: 'a', before: { groups: ['b'] } },
  ];
  const text = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"kind":"file","path":"/b","bef`;
  expect(parseJournal(text)).toEqual([first, ...rows.slice(2)]);
});

test('a package that was changed and later removed keeps its first version, and is marked as removed', () => {
  const rows = [
    { kind: 'package', name: 'a', before: { version: '1' } },
    { kind: 'package', name: 'a', before: { version: '2' }, removed: true },
  ];
  expect(parseJournal(rows.map((row) => JSON.stringify(row)).join('\n'))).toEqual([
    { kind: 'package', name: 'a', before: { version: '1' }, removed: true },
  ]);
});

test('parses a run that is alive or dead, or no run', () => {
  const record = { id: 'r', command: 'install', who: 'me', since: 5 };
  expect(parseRun(`${JSON.stringify(record)}\nalive\n`)).toEqual({ ...record, alive: true });
  expect(parseRun(`${JSON.stringify(record)}\ndead\n`)).toEqual({ ...record, alive: false });
  expect(parseRun('')).toBeNull();
});

test('ignores incomplete events', () => {
  expect(parseRunEvent('{"event":"log","item":1,"line":"x"}')).toEqual({ event: 'log', item: 1, line: 'x' });
  expect(parseRunEvent('{"event":"log","item":1,"li')).toBeUndefined();
  expect(parseRunEvent('{"followed":true}')).toBeUndefined();
});

test('reads the remedy of a failure that release 0.1.0 wrote as `mend`', () => {
  const failed = { event: 'failed', item: 0, failure: 'hash', message: 'wrong', at: 5 };
  const wanted = { ...failed, remedy: 'Check it.' };
  expect(parseRunEvent(JSON.stringify({ ...failed, mend: 'Check it.' }))).toEqual(wanted);
  expect(parseRunEvent(JSON.stringify(wanted))).toEqual(wanted);
  expect(parseRunEvent(JSON.stringify(failed))).toBeUndefined();
});

test('refuses an entry of a kind that only a later release knows', () => {
  const known = '{"kind":"package","name":"a","before":"absent"}';
  expect(() => parseJournal(`${known}\n{"kind":"volume","name":"v","before":"absent"}\n`)).toThrow(
    'a later release of mesosup has changed a resource of the kind "volume"',
  );
  expect(parseJournal(`${known}\n5\n{"before":"absent"}\n`)).toHaveLength(1);
});
