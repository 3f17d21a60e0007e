import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { originOf, VIA } from './api/client-origin.ts';
import { Relays } from './relays.ts';

function request(remoteAddress: string): IncomingMessage {
  const headers = { [VIA]: 'h2:8080', 'x-forwarded-for': '9.9.9.9' };
  return { headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

it('believes the address of a client only from a scheduler', async () => {
  const relays = new Relays(async (host) => (host === 'h2' ? ['10.0.0.2'] : [host]));
  const originFrom = (address: string) => originOf(relays.checked(request(address)));
  expect(originFrom('10.0.0.2')).toEqual({ address: '10.0.0.2' });
  relays.follow(async () => ['h2:8080', '[fd00::3]:8080']);
  await nextTurn();
  relays.stop();
  for (const address of ['10.0.0.2', '::ffff:10.0.0.2', 'fd00::3'])
    expect(originFrom(address)).toEqual({ address: '9.9.9.9', relay: address });
  expect(originFrom('10.0.0.66')).toEqual({ address: '10.0.0.66' });
});

it('keeps what it knows while names or schedulers can not be found', async () => {
  let works = true;
  const relays = new Relays(async () => {
    if (!works) throw new Error('no DNS');
    return ['10.0.0.2'];
  });
  const isRelay = () => relays.checked(request('10.0.0.2')).headers[VIA] !== undefined;
  relays.follow(async () => ['h2:8080']);
  await nextTurn();
  relays.stop();
  expect(isRelay()).toBe(true);
  works = false;
  relays.follow(async () => ['h2:8080']);
  await nextTurn();
  relays.stop();
  expect(isRelay()).toBe(true);
});
