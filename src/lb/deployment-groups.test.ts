import fc from 'fast-check';
import { expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../../test/lb/snapshots.ts';
import { readDeployment, weightsOf } from './deployment-groups.ts';
import { NO_CLAIMS, type RoutingOptions, route } from './routing.ts';
import type { BalancedApp } from './snapshot.ts';

const OPTIONS: RoutingOptions = {
  certificates: new Set(),
  templates: new Map(),
  allowLabelTemplates: false,
  groups: [],
  reserved: [],
  sharesHosts: false,
};

function routed(...apps: Parameters<typeof snapshotOf>[0]) {
  const { services, problems } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
  return { services, problems: problems.map(({ appId, text }) => `${appId}: ${text}`) };
}

const share = (group: string, percent?: string) => ({
  HAPROXY_DEPLOYMENT_GROUP: group,
  ...(percent !== undefined && { HAPROXY_DEPLOYMENT_SHARE: percent }),
});

it('serves the tasks of all apps of a group at the port of the app with its id, by their shares', () => {
  const web = balancedApp('/shop/web', 10_001, [31_001, 31_002], { run: 1 });
  const canary = balancedApp('/shop/web-canary', 10_002, [31_003], { run: 2, labels: share('web', '10') });
  const { services, problems } = routed(web, canary);
  expect(problems).toEqual([]);
  expect(services).toHaveLength(1);
  expect(services[0]).toMatchObject({
    backend: '0_shop_web',
    appId: '/shop/web',
    port: 10_001,
    members: [
      { appId: '/shop/web', share: undefined },
      { appId: '/shop/web-canary', share: 10 },
    ],
  });
  expect(services[0]?.servers.map(({ port, weight }) => [port, weight])).toEqual([
    [31_001, 256],
    [31_002, 256],
    [31_003, 57],
  ]);
});

it('serves blue and green of marathon-lb with equal weights, at the port of the older one, under the name of the group', () => {
  const blue = balancedApp('/web-blue', 10_001, [31_001], { run: 1, labels: share('web') });
  const green = balancedApp('/web-green', 10_002, [31_002], { run: 2, labels: share('/web') });
  const { services } = routed(green, blue);
  expect(services).toMatchObject([{ backend: '0_web', appId: '/web-blue', port: 10_001 }]);
  expect(services[0]?.servers.map(({ weight }) => weight)).toEqual([undefined, undefined]);
  expect(routed(green).services).toMatchObject([{ backend: '0_web', appId: '/web-green', port: 10_002 }]);
});

it('lets no app join the group of an app elsewhere, and does not open a port that its app keeps closed', () => {
  const web = balancedApp('/pay/web', 10_001, [31_001], { run: 1, labels: { HAPROXY_0_ENABLED: 'false' } });
  const near = balancedApp('/pay/near', 10_002, [31_002], { run: 2, labels: share('web') });
  const far = balancedApp('/far', 10_003, [31_003], { run: 3, labels: share('/pay/web') });
  const { services, problems } = routed(web, near, far);
  expect(services.map(({ appId, servers }) => [appId, servers.length])).toEqual([['/far', 1]]);
  expect(problems).toEqual([
    '/far: label HAPROXY_DEPLOYMENT_GROUP must be a name, for apps of the same group /',
    '/pay/near: port 0 is not served: /pay/web has no such port, and both are of the deployment group /pay/web',
  ]);
});

it('gives nothing to an app with the share 0 that is alone in its group, and all to one with another share', () => {
  const canary = (percent: string) =>
    balancedApp('/web-canary', 10_002, [31_003], { labels: share('web', percent) });
  const weights = (one: BalancedApp) => routed(one).services[0]?.servers.map(({ weight }) => weight);
  expect(weights(canary('0'))).toEqual([0]);
  expect(weights(canary('10'))).toEqual([undefined]);
});

it('finds the ports of an app by their names, in whatever order they are', () => {
  const portsOf = (...names: readonly (string | undefined)[]) =>
    names.map((name, i) => ({
      servicePort: 10_001 + i,
      protocol: 'tcp',
      ...(name !== undefined && { name }),
    }));
  const tasksAt = (...ports: readonly number[]) => [
    { id: `x.${ports[0]}`, state: 'ready' as const, addresses: ports.map((port) => `127.0.0.1:${port}`) },
  ];
  const web = (...names: readonly (string | undefined)[]) =>
    balancedApp('/web', 0, [], { run: 1, ports: portsOf(...names), tasks: tasksAt(1, 2) });
  const canary = (...names: readonly (string | undefined)[]) => {
    const more = { run: 2, ports: portsOf(...names), tasks: tasksAt(11, 12, 13), labels: share('web', '50') };
    return balancedApp('/web-canary', 0, [], more);
  };
  const serversOf = (...apps: readonly BalancedApp[]) =>
    routed(...apps).services.map(({ servers }) => servers.map(({ port }) => port));
  expect(serversOf(web('http', 'admin'), canary('new', 'http', 'admin'))).toEqual([
    [1, 12],
    [2, 13],
  ]);
  expect(routed(web('http', 'admin'), canary('new', 'http', 'admin')).problems).toEqual([
    expect.stringMatching(/^\/web-canary: port 0 is not served: \/web has no such port/),
  ]);
  expect(serversOf(web('http', 'admin'), canary('http'))).toEqual([[1, 11], [2]]);
  expect(serversOf(web('http', 'admin'), canary('admin'))).toEqual([[1], [2, 11]]);
  expect(serversOf(web('http'), canary('web'))).toEqual([[1, 11]]);
  expect(serversOf(web(undefined, undefined), canary('default'))).toEqual([[1, 11], [2]]);
});

it('divides by shares only with a method that does', () => {
  const labels = { HAPROXY_0_BALANCE: 'leastconn' };
  const web = balancedApp('/web', 10_001, [31_001], { run: 1, labels });
  const canary = balancedApp('/two', 10_002, [31_002], { run: 2, labels: share('web', '60') });
  const third = balancedApp('/three', 10_003, [31_003], { run: 3, labels: share('web', '60') });
  const { services, problems } = routed(web, canary, third);
  expect(services[0]?.settings.balance).toBe('roundrobin');
  expect(services[0]?.servers.map(({ weight }) => weight)).toEqual([0, 256, 256]);
  expect(problems).toEqual([
    '/web: the shares of the deployment group /web are 120% together: they count in proportion, and apps without a share get nothing',
    "/web: label HAPROXY_0_BALANCE can't be leastconn in a deployment group with shares: it is roundrobin",
  ]);
  expect(routed(web).services[0]?.settings.balance).toBe('leastconn');
});

it.each([
  [{ HAPROXY_DEPLOYMENT_SHARE: '10' }, 'has no effect without HAPROXY_DEPLOYMENT_GROUP'],
  [share('web', '10%'), 'must be a whole number of percent, from 0 to 100'],
  [share('web', '101'), 'must be a whole number of percent, from 0 to 100'],
  [share('web', '-1'), 'must be a whole number of percent, from 0 to 100'],
  [share(''), 'must be a name, for apps of the same group /a/'],
  [share('b/c'), 'must be a name, for apps of the same group /a/'],
  [share('/b/c'), 'must be a name, for apps of the same group /a/'],
  [share('web\nbackend x'), 'must be a name, for apps of the same group /a/'],
])('refuses %o', (labels, why) => {
  expect(readDeployment('/a/one', labels)).toMatchObject({ why });
});

it('gives each app its share, to a point, unless it has many more tasks than the others', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      (percent, tasks, others) => {
        const perTask = percent / tasks / ((100 - percent) / others);
        fc.pre(perTask >= 0.05 && perTask <= 20);
        const [one = 1, rest = 1] = weightsOf([
          { share: percent, tasks },
          { share: undefined, tasks: others },
        ]);
        const actual = (100 * one * tasks) / (one * tasks + rest * others);
        expect(Math.abs(actual - percent)).toBeLessThan(1);
      },
    ),
  );
});

it('gives the share of apps without tasks to the others, and nothing to an app with the share 0', () => {
  const one = { share: undefined, tasks: 1 };
  expect(weightsOf([one, { share: 30, tasks: 0 }])).toEqual([undefined, undefined]);
  expect(
    weightsOf([
      { ...one, tasks: 0 },
      { share: 30, tasks: 2 },
    ]),
  ).toEqual([undefined, undefined]);
  expect(weightsOf([one, { share: 0, tasks: 2 }])).toEqual([256, 0]);
  expect(
    weightsOf([
      { ...one, tasks: 0 },
      { share: 0, tasks: 2 },
    ]),
  ).toEqual([256, 0]);
  expect(weightsOf([one, { share: 100, tasks: 0 }])).toEqual([undefined, undefined]);
  expect(weightsOf([{ share: 60, tasks: 1 }, { share: 60, tasks: 1 }, one])).toEqual([256, 256, 0]);
});
