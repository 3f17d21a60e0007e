import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { originOf, VIA } from './client-origin.ts';

const asked = (headers: object) =>
  originOf({ headers, socket: { remoteAddress: '10.0.0.9' } } as unknown as IncomingMessage);

it('is the address that a forwarding scheduler tells, and no other text', () => {
  expect(asked({ 'x-forwarded-for': '10.0.0.1' })).toEqual({ address: '10.0.0.9' });
  for (const [told, address] of [
    ['10.0.0.1', '10.0.0.1'],
    ['1.2.3.4, fe80::1%eth0', 'fe80::1%eth0'],
    ['unknown', '10.0.0.9'],
    ['', '10.0.0.9'],
    ['x'.repeat(10_000), '10.0.0.9'],
    [`fe80::1%${'x'.repeat(10_000)}`, '10.0.0.9'],
  ]) {
    expect(asked({ [VIA]: 'a:1', 'x-forwarded-for': told })).toEqual({ address, relay: '10.0.0.9' });
  }
});
