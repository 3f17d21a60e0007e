import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signToken, verifyToken } from '../embedded/wire/jwt.ts';
import { renewToken } from './renew-token.ts';

let directory: string;
let file: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'renew-token-'));
  file = path.join(directory, 'key');
  writeFileSync(file, 'new key\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

it('signs the same claims with the key of the file, with all its bytes', () => {
  const claims = { fid: 'f', eid: 'e', cid: 'c' };
  const renewed = renewToken(signToken(claims, Buffer.from('old key')), file) ?? '';
  expect(verifyToken(renewed, Buffer.from('new key\n'), 0)).toEqual({ claims });
  expect(verifyToken(renewed, Buffer.from('new key'), 0)).toHaveProperty('error');
});

it('has no token without a key, and for a text that is no token', () => {
  expect(renewToken(signToken({}, Buffer.from('k')), path.join(directory, 'none'))).toBeUndefined();
  expect(renewToken('jwt', file)).toBeUndefined();
});
