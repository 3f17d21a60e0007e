import { expect, it } from 'vitest';
import { HostNames } from './host-names.ts';

it('does not wait for a name server that does not answer, and uses its answer later', async () => {
  const slow = Promise.withResolvers<{ readonly address: string }>();
  let count = 0;
  const names = new HostNames((name) => {
    count += 1;
    return name === 'slow.example' ? slow.promise : Promise.resolve({ address: '10.0.0.1' });
  });
  expect(await names.refresh(['slow.example', 'a.example', '10.0.0.3'], 0)).toEqual(['slow.example']);
  expect(names.resolve('a.example')).toBe('10.0.0.1');
  slow.resolve({ address: '10.0.0.2' });
  expect(await names.refresh(['slow.example'], 1)).toEqual([]);
  expect(names.resolve('slow.example')).toBe('10.0.0.2');
  expect(count).toBe(2);
});
