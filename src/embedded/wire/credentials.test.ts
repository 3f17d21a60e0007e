import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readCredential, readCredentials, readKey } from './credentials.ts';

let directory: string;
let lines: string[];
const log = (line: string) => void lines.push(line);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mesosup-credentials-'));
  lines = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function file(content: unknown, mode = 0o600): string {
  const path = join(directory, 'file');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode });
  return path;
}

it('reads a list of credentials, and a single one', () => {
  const path = file({ credentials: [{ principal: 'p', secret: 's' }, { principal: 'q' }] });
  expect([...readCredentials(path, 'credentials', log)]).toEqual([
    ['p', 's'],
    ['q', ''],
  ]);
  expect(readCredential(file({ principal: 'p', secret: 's' }), 'credential', log)).toEqual({
    principal: 'p',
    secret: 's',
  });
  expect(lines).toEqual([]);
});

it('warns about a file that other users can read', () => {
  expect(readKey(file('key\n', 0o644), 'jwt_secret_key', log).toString()).toBe('key\n');
  expect(lines).toEqual([expect.stringContaining('too open')]);
});

it.each([
  ['', 'Empty credential file'],
  ['p hush', 'it is not JSON'],
  ['{"hush":1}', 'it contains no list "credentials"'],
  ['{"credentials":[]}', 'must contain at least one credential'],
  ['{"credentials":[{"secret":"hush"}]}', 'expected {"principal"'],
  ['{"credentials":[null]}', 'expected {"principal"'],
])('refuses %j without repeating it', (content, reason) => {
  const read = () => readCredentials(file(content), 'credentials', log);
  expect(read).toThrow(reason);
  expect(read).toThrow('(see --credentials flag)');
  expect(read).not.toThrow(/hush/);
});

it('names a missing file', () => {
  expect(() => readCredential('/nowhere', 'credential', log)).toThrow("credentials file '/nowhere'");
  expect(() => readKey('/nowhere', 'jwt_secret_key', log)).toThrow('--jwt_secret_key');
});
