import fc from 'fast-check';
import { expect, it } from 'vitest';
import { runs } from '../../../test/support/runs.ts';
import { Attempts, type Origin } from './attempts.ts';

const HOME = { address: '10.0.0.1' };

/** Guesses whenever that is allowed. @returns the number of checked passwords */
function guess(attempts: Attempts, seconds: number, from: (i: number) => [name: string, origin: Origin]) {
  let checked = 0;
  for (let now = 0; now < seconds * 1000; now += 100) {
    for (let i = 0; i < 10; i += 1) {
      const [name, origin] = from(now + i);
      if (attempts.waitFor(name, origin, now) > 0) continue;
      attempts.fail(name, origin, now);
      checked += 1;
    }
  }
  return checked;
}

it('limits guesses for a user from an address, of an address, and for a user from anywhere', () => {
  const seconds = 300;
  expect(guess(new Attempts(), seconds, () => ['u', HOME])).toBeLessThanOrEqual(10 + seconds / 6);
  expect(guess(new Attempts(), seconds, (i) => [`u${i}`, HOME])).toBeLessThanOrEqual(30 + seconds / 3);
  const anywhere = (i: number): [string, Origin] => ['u', { address: `10.0.${i >> 8}.${i % 256}` }];
  expect(guess(new Attempts(), seconds, anywhere)).toBeLessThanOrEqual(50 + seconds / 2);
});

it('limits guesses by someone who claims to forward them, and takes a network of IPv6 as one address', () => {
  const relayed = (i: number): [string, Origin] => [`u${i}`, { address: `${i}`, relay: '10.0.0.9' }];
  expect(guess(new Attempts(), 60, relayed)).toBeLessThanOrEqual(300 + 60 / 0.2);
  const v6 = (i: number): [string, Origin] => ['u', { address: `2001:db8:1:2::${i.toString(16)}` }];
  expect(guess(new Attempts(), 60, v6)).toBeLessThanOrEqual(10 + 60 / 6);
  const attempts = new Attempts();
  for (let i = 0; i < 10; i += 1) attempts.fail('u', { address: '2001:db8::1' }, 0);
  expect(attempts.waitFor('u', { address: '2001:DB8:0:0:9::' }, 0)).toBeGreaterThan(0);
  expect(attempts.waitFor('u', { address: '2001:db8:0:1::1' }, 0)).toBe(0);
  for (let i = 0; i < 10; i += 1) attempts.fail('v', { address: '::ffff:10.0.0.1' }, 0);
  expect(attempts.waitFor('v', HOME, 0)).toBeGreaterThan(0);
});

it('does not keep the users of an address out for one program with an old password', () => {
  const attempts = new Attempts();
  guess(attempts, 300, () => ['old', HOME]);
  expect(attempts.waitFor('old', HOME, 299_999)).toBeGreaterThan(0);
  expect(attempts.waitFor('other', HOME, 299_999)).toBe(0);
});

it('says how long to wait, and no more than that', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b'),
    address: fc.constantFrom('1', '2'),
    ms: fc.nat(5000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const attempts = new Attempts();
      let now = 0;
      for (const { name, address, ms } of steps) {
        now += ms;
        const wait = attempts.waitFor(name, { address }, now);
        expect(attempts.waitFor(name, { address }, now + wait)).toBe(0);
        if (wait > 1) expect(attempts.waitFor(name, { address }, now + wait - 2)).toBeGreaterThan(0);
        if (wait === 0) attempts.fail(name, { address }, now);
      }
    }),
    { numRuns: runs(100) },
  );
});

it('takes no more memory than for its last failures', () => {
  const attempts = new Attempts();
  const long = 'x'.repeat(1_000_000);
  for (let i = 0; i < 20_000; i += 1) attempts.fail(`${i}${long}`, { address: `${i}` }, i);
  expect(attempts.remembered).toBe(10_000);
});

it('survives a clock that goes back', () => {
  const attempts = new Attempts();
  for (let i = 0; i < 10; i += 1) attempts.fail('u', HOME, 1_000_000);
  const wait = attempts.waitFor('u', HOME, 0);
  expect([wait > 0, wait <= 6000]).toEqual([true, true]);
});

it('forgets no full bucket because of wrong passwords for many other names', () => {
  const attempts = new Attempts();
  for (let i = 0; i < 50; i += 1) attempts.fail('u', { address: `10.0.0.${i}` }, 0);
  const before = attempts.waitFor('u', { address: '10.9.9.9' }, 0);
  for (let i = 0; i < 12_000; i += 1)
    attempts.fail(`${i}`, { address: `2001:db8:1:${i.toString(16)}::1` }, 0);
  expect(before).toBeGreaterThan(0);
  expect(attempts.waitFor('u', { address: '10.9.9.9' }, 0)).toBe(before);
});
