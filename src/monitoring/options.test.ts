import { expect, test } from 'vitest';
import { readExporterOptions } from './options.ts';

test('listens on loopback by default', () => {
  expect(readExporterOptions({ agent: 'http://h1:5051/' })).toMatchObject({
    agent: 'http://h1:5051',
    master: undefined,
    listen: { host: '127.0.0.1', port: 9103 },
    timeoutMs: 5000,
  });
  expect(readExporterOptions({ agent: 'http://h1:5051', listen: '[::]:80' }).listen).toEqual({
    host: '::',
    port: 80,
  });
});

test.each([
  [{}, '--master and --agent are missing'],
  [{ master: 'h1:5050' }, "--master is 'h1:5050'"],
  [{ master: 'http://a:secret@h1' }, "--master is 'http://…@h1'"],
  [{ agent: 'http://h1', listen: 'x' }, "--listen is 'x'"],
  [{ agent: 'http://h1', listen: 'x:99999' }, "--listen is 'x:99999'"],
  [{ agent: 'http://h1', 'timeout-ms': '1' }, "--timeout-ms is '1': expected a whole number from 100"],
  [{ agent: 'http://h1', 'most-names': '-1' }, "--most-names is '-1'"],
])('refuses %j', (values, message) => {
  expect(() => readExporterOptions(values)).toThrow(message);
});
