import { expect, test } from 'vitest';
import { serviceFacts } from '../../../test/install/hosts.ts';
import { checkHost, installedPackage, render, systemFacts } from '../../../test/install/preflight.ts';
import type { Facts } from '../facts.ts';

const ROLES = { roles: ['master', 'scheduler', 'agent', 'lb'] } as const;

function problems(facts: Partial<Facts>): string[] {
  return render(checkHost(facts, {}, ROLES)).filter((one) => /haproxy|port/.test(one));
}

test('refuses a distribution whose haproxy is too old, unless a newer one is installed', () => {
  const old = systemFacts('ubuntu', '22.04');
  expect(problems(old)).toEqual([
    'h1 error haproxy: the role lb needs haproxy 2.6 or later, but ubuntu 22.04 has an older one',
  ]);
  expect(problems(systemFacts('debian', '11'))).toHaveLength(1);
  expect(problems(systemFacts('debian', '12'))).toEqual([]);
  expect(problems(systemFacts('ubuntu', '24.04'))).toEqual([]);
  expect(problems({ ...old, packages: { haproxy: installedPackage('2.8.5-1') } })).toEqual([]);
  expect(problems({ packages: { haproxy: installedPackage('2.4.22-1') } })).toEqual([
    'h1 error haproxy: the role lb needs haproxy 2.6 or later, but it has 2.4.22-1',
  ]);
  expect(render(checkHost(old))).toEqual([]);
});

test('reports a port in use, but not by a haproxy whose program is down', () => {
  const listeners = [{ port: 9101, program: 'haproxy' }];
  expect(problems({ listeners })).toEqual([
    'h1 error port: port 9101, which the load balancer needs, is in use by haproxy',
  ]);
  expect(problems({ listeners, services: { 'mesosup-lb': serviceFacts({ state: 'failed' }) } })).toEqual([]);
});
