import { expect, test } from 'vitest';
import { parseBeginning, parseServiceLine } from './log-line.ts';

test("reads entries of systemd's journal", () => {
  const entry = {
    __CURSOR: 's=1',
    __REALTIME_TIMESTAMP: '1700000000123456',
    _SYSTEMD_UNIT: 'mesos-agent.service',
  };
  const read = (more: object) => parseServiceLine(JSON.stringify({ ...entry, ...more }));
  expect(read({ MESSAGE: 'started' })).toEqual({
    service: 'mesos-agent',
    text: 'started',
    at: 1_700_000_000_123_456,
    cursor: 's=1',
  });
  // systemd's own message about another unit.
  expect(read({ _SYSTEMD_UNIT: 'init.scope', UNIT: 'zookeeper.service', MESSAGE: 'x' })?.service).toBe(
    'zookeeper',
  );
  expect(read({ MESSAGE: [104, 105, 27] })?.text).toBe('hi\u001b');
  expect(read({ MESSAGE: null })?.text).toContain('does not show');
});

test("reads lines of Upstart's files, also those that look like JSON, and no others", () => {
  expect(parseServiceLine('mesosup-scheduler {"level":30}')).toEqual({
    service: 'mesosup-scheduler',
    text: '{"level":30}',
  });
  expect(parseServiceLine('zookeeper ')).toEqual({ service: 'zookeeper', text: '' });
  expect(parseServiceLine('')).toBeUndefined();
  expect(parseServiceLine('{"cut')).toBeUndefined();
});

test('tells the beginning of a followed log from its lines', () => {
  expect(['{"now":1700000000}', '{"now":0}', '{"now":1', 'x {"now":1}', ''].map(parseBeginning)).toEqual([
    1_700_000_000,
    0,
    undefined,
    undefined,
    undefined,
  ]);
  expect(parseServiceLine('{"now":1700000000}')).toBeUndefined();
});
