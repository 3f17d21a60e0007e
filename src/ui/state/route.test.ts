import fc from 'fast-check';
import { expect, it } from 'vitest';
import { APP_TABS, pathOf, type Route, routeOf } from './route.ts';

function read(address: string): Route {
  const { pathname, searchParams } = new URL(address, 'http://h');
  return routeOf(pathname, searchParams);
}

it('reads the addresses of views', () => {
  expect(read('/ui/')).toEqual({ view: 'apps' });
  expect(read('/ui/app/a/b?tab=logs&task=t.1')).toEqual({
    view: 'app',
    id: '/a/b',
    tab: 'logs',
    task: 't.1',
  });
  expect(read('/ui/app/a?tab=x')).toEqual({ view: 'app', id: '/a', tab: 'instances' });
  expect(read('/ui/agents')).toEqual({ view: 'agents' });
  expect(read('/ui/agent/x-S0')).toEqual({ view: 'agent', id: 'x-S0' });
  expect(read('/ui/%ff/x')).toEqual({ view: 'nothing', path: '/ui/%ff/x' });
});

it('finds the view of each address that it makes, for any ids', () => {
  const id = fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { minLength: 1 }).map((all) => {
    const segments = all.map((one) => one.replaceAll('/', '-')).map((one) => (/^\.+$/.test(one) ? 'x' : one));
    return `/${segments.join('/')}`;
  });
  const route: fc.Arbitrary<Route> = fc.oneof(
    fc.record({
      view: fc.constant('app' as const),
      id,
      tab: fc.constantFrom(...APP_TABS),
      task: fc.string(),
    }),
    fc.record({ view: fc.constant('edit' as const), id }),
    fc.record({
      view: fc.constantFrom('agent' as const, 'deployment' as const),
      id: id.map((one) => one.slice(1)),
    }),
    fc.record({ view: fc.constant('create' as const), group: id }),
    fc.record({ view: fc.constantFrom('deployments' as const, 'queue' as const, 'events' as const) }),
    fc.constant({ view: 'apps' as const }),
  );
  fc.assert(
    fc.property(route, (one) => {
      expect(read(pathOf(one))).toEqual(one);
    }),
  );
});
