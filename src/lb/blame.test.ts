import { expect, it } from 'vitest';
import { blame } from './blame.ts';

// As haproxy 2.6 writes it.
const IN_USE =
  '[ALERT]    (30333) : Binding [/d/haproxy.cfg:2] for frontend port-29555: cannot bind socket (Address already in use) for [127.0.0.1:29555]';

it('blames a port that can not be used, and not the app that has other ports too', () => {
  const lines = [{ text: 'global' }, { text: '  bind :29555', appId: '/web' }];
  const { apps, ports } = blame(IN_USE, lines, []);
  expect([...ports]).toEqual([[29_555, 'cannot bind socket (Address already in use) for [127.0.0.1:29555]']]);
  expect(apps.size).toBe(0);
});
