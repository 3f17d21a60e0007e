import { expect, test } from 'vitest';
import { rootError } from './root-error.ts';

const silent = { kind: 'silent', seconds: 180, output: '' } as const;
const debugCommand = (command: string) => `ssh h1 '${command}'`;

test('names sudo only where the login user needs it', () => {
  expect(rootError({ host: 'h1', user: 'root', debugCommand }, silent)).toMatchObject({
    message: 'h1: no shell started within 180 s',
    remedy: expect.stringContaining("ssh h1 'true'"),
  });
  expect(rootError({ host: 'h1', user: 'admin', debugCommand }, silent)).toMatchObject({
    message: 'h1: sudo did not answer within 180 s',
    remedy: expect.stringContaining("ssh h1 'sudo true'"),
  });
});
