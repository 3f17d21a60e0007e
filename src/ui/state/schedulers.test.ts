import { expect, it } from 'vitest';
import { othersThan, type SchedulerMember } from './schedulers.ts';

const all: SchedulerMember[] = [
  { address: 'h1:8080', leads: true, urls: ['http://h1:8080', 'https://h1:8443'] },
  { address: 'h2:8080', leads: false, urls: ['http://h2:8080', 'https://h2:8443'] },
];

it('leads to the other schedulers in the way in which the page was loaded', () => {
  expect(othersThan({ origin: 'https://h1:8443', protocol: 'https:' }, all)).toEqual([
    { address: 'h2:8080', url: 'https://h2:8443' },
  ]);
  expect(othersThan({ origin: 'http://h2:8080', protocol: 'http:' }, all)).toEqual([
    { address: 'h1:8080', url: 'http://h1:8080' },
  ]);
});

it('names all schedulers if the page has another address, such as that of a proxy, and none without a URL', () => {
  const own = { origin: 'https://cluster.example', protocol: 'https:' };
  expect(othersThan(own, all).map(({ url }) => url)).toEqual(['https://h1:8443', 'https://h2:8443']);
  const plain = [{ address: 'h1:8080', leads: true, urls: ['http://h1:8080'] }];
  expect(othersThan(own, plain).map(({ url }) => url)).toEqual(['http://h1:8080']);
  expect(othersThan(own, [{ address: 'h1:8080', leads: true, urls: [] }])).toEqual([]);
});
