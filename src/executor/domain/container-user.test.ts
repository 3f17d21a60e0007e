import { expect, test } from 'vitest';
import { resolveUser } from './container-user.ts';

const passwd = 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:/bin/sh\n44:x:55:66::/:\n';
const group = 'root:x:0:\nstaff:x:50:web\n';

test.each([
  ['', { uid: 0, gid: 0 }],
  ['root', { uid: 0, gid: 0 }],
  ['web', { uid: 33, gid: 34 }],
  ['33', { uid: 33, gid: 34 }],
  ['web:staff', { uid: 33, gid: 50 }],
  ['web:7', { uid: 33, gid: 7 }],
  ['1000', { uid: 1000, gid: 0 }],
  ['1000:1001', { uid: 1000, gid: 1001 }],
  ['44', { uid: 55, gid: 66 }],
  ['nobody', undefined],
  ['web:nobody', undefined],
  ['4294967295', undefined],
  ['-1', undefined],
])('resolves the user %j', (user, ids) => {
  expect(resolveUser(user, passwd, group)).toEqual(ids);
});

test('resolves numbers without the files', () => {
  expect(resolveUser('1000:1001', undefined, undefined)).toEqual({ uid: 1000, gid: 1001 });
  expect(resolveUser('', undefined, undefined)).toEqual({ uid: 0, gid: 0 });
  expect(resolveUser('web', undefined, undefined)).toBeUndefined();
});
