import { expect, test } from 'vitest';
import { parseHostAddress } from './host-address.ts';

test.each([
  ['h1', { host: 'h1' }],
  ['admin@h1.example', { host: 'h1.example', user: 'admin' }],
  ['admin@10.0.0.1:2222', { host: '10.0.0.1', user: 'admin', port: 2222 }],
  ['2001:db8::1', { host: '2001:db8::1' }],
  ['root@[2001:db8::1]:22', { host: '2001:db8::1', user: 'root', port: 22 }],
])('%s', (typed, address) => {
  expect(parseHostAddress(typed)).toEqual(address);
});

test.each(['', '-oProxyCommand=x', 'a b', 'a:0', 'a:70000', '@h', 'u@', '-x@h', 'a/b', 'h:22:x'])(
  '%j is none',
  (typed) => {
    expect(parseHostAddress(typed)).toBeUndefined();
  },
);
