import { expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../../../test/lb/snapshots.ts';
import type { BalancedApp } from '../snapshot.ts';
import { appLabel, buildZone } from './zone.ts';

const IPS: Readonly<Record<string, string>> = { 'a.example': '10.0.0.1', 'b.example': '10.0.0.2' };
const resolve = (host: string) => IPS[host] ?? (/^[\d.]+$|:/.test(host) ? host : undefined);

function zoneOf(...apps: readonly BalancedApp[]) {
  const zone = buildZone(snapshotOf(apps), 'mesos', resolve);
  const addresses = (name: string) => [...(zone.records.get(name)?.addresses ?? [])];
  const services = (name: string) =>
    zone.records.get(name)?.services.map(({ target, port }) => [addresses(target), port]);
  return { ...zone, addresses, services };
}

function task(id: string, host: string | undefined, ...addresses: (string | null)[]) {
  return { id, state: 'ready' as const, addresses, ...(host !== undefined && { host }) };
}

it('names running healthy tasks, their agents and their ports as Mesos-DNS does', () => {
  const tasks = [
    task('web.1', 'a.example', 'a.example:31000', 'a.example:31001'),
    task('web.2', 'b.example', 'b.example:31005', null),
    { ...task('web.3', 'a.example', 'a.example:31009'), state: 'waiting' as const },
    { ...task('web.4', 'a.example', 'a.example:31008'), state: 'ending' as const },
    task('web.5', 'unknown.example', 'unknown.example:1'),
  ];
  const ports = [
    { servicePort: 1, protocol: 'tcp', name: 'http-API' },
    { servicePort: 2, protocol: 'udp,tcp' },
  ];
  const { addresses, services, names } = zoneOf(balancedApp('/shop/web', 1, [], { tasks, ports }));
  expect(addresses('web-shop.marathon.mesos')).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(addresses('web-shop.marathon.slave.mesos')).toEqual(['10.0.0.1', '10.0.0.2']);
  expect(services('_web-shop._tcp.marathon.mesos')).toEqual([
    [['10.0.0.1'], 31_000],
    [['10.0.0.1'], 31_001],
    [['10.0.0.2'], 31_005],
  ]);
  expect(services('_web-shop._udp.marathon.mesos')).toEqual([[['10.0.0.1'], 31_001]]);
  expect(services('_http-api._web-shop._tcp.marathon.mesos')).toEqual([
    [['10.0.0.1'], 31_000],
    [['10.0.0.2'], 31_005],
  ]);
  for (const name of ['mesos', 'marathon.mesos', '_tcp.marathon.mesos', 'slave.mesos']) {
    expect(names.has(name), name).toBe(true);
  }
});

it('adds no other app to the name of a single task', () => {
  const ports = [{ servicePort: 1, protocol: 'tcp' }];
  const web = balancedApp('/web', 1, [], {
    run: 1,
    ports,
    tasks: [task('web.1', 'a.example', 'a.example:31000')],
  });
  const [{ target = '' } = {}] = zoneOf(web).records.get('_web._tcp.marathon.mesos')?.services ?? [];
  const label = target.split('.')[0] ?? '';
  const other = balancedApp(`/${label}`, 2, [], {
    run: 2,
    ports,
    tasks: [task('x.1', 'b.example', 'b.example:1')],
  });
  const { addresses, problems } = zoneOf(other, web);
  expect(addresses(target)).toEqual(['10.0.0.1']);
  expect(problems).toEqual([{ appId: `/${label}`, text: `the DNS name ${label} belongs to /web` }]);
});

it('has the address of the container, and that of the agent for ports that are published there', () => {
  const ports = [1, 2].map((servicePort) => ({ servicePort, protocol: 'tcp' }));
  const tasks = [task('db.1', 'a.example', '[fd00::5]:80', 'a.example:31000')];
  const { addresses, services } = zoneOf(balancedApp('/db', 1, [], { tasks, ports }));
  expect(addresses('db.marathon.mesos')).toEqual(['fd00::5']);
  expect(addresses('db.marathon.slave.mesos')).toEqual(['10.0.0.1']);
  expect(services('_db._tcp.marathon.mesos')).toEqual([
    [['fd00::5'], 80],
    [['10.0.0.1'], 31_000],
  ]);
});

it('has the agent for tasks without ports, and what a scheduler of an earlier release knows', () => {
  const none = balancedApp('/none', 1, [], { ports: [], tasks: [task('none.1', 'b.example')] });
  const old = balancedApp('/old', 2, [], { tasks: [task('old.1', undefined, '10.9.9.9:80')] });
  const { addresses, services } = zoneOf(none, old);
  expect(addresses('none.marathon.mesos')).toEqual(['10.0.0.2']);
  expect(addresses('old.marathon.mesos')).toEqual(['10.9.9.9']);
  expect(services('_old._tcp.marathon.mesos')).toEqual([[['10.9.9.9'], 80]]);
});

it('gives a name to the oldest app only, and tells the others', () => {
  const young = balancedApp('/web.shop', 1, [31_001], { run: 2 });
  const old = balancedApp('/shop/web', 2, [31_002], { run: 1 });
  const { problems, services } = zoneOf(young, old, balancedApp('/---', 3, [31_003], { run: 3 }));
  expect(services('_web-shop._tcp.marathon.mesos')).toEqual([[['127.0.0.1'], 31_002]]);
  expect(problems).toEqual([
    { appId: '/web.shop', text: 'the DNS name web-shop belongs to /shop/web' },
    { appId: '/---', text: 'has no DNS name: its id has no letter or digit' },
  ]);
});

it.each([
  ['/multidis', 'multidis'],
  ['/shop/front/web', 'web-front-shop'],
  ['/a_b/C.d', 'c-d-a-b'],
  ['/-a-', 'a'],
  [`/${'x'.repeat(80)}`, 'x'.repeat(63)],
  [`/${'x'.repeat(62)}-y`, 'x'.repeat(62)],
  ['/é', ''],
])('the label of %s is %s', (id, label) => {
  expect(appLabel(id)).toBe(label);
});

it('has no label or name that is too long, and no two tasks of an app with the same name', () => {
  const id = `/${'g'.repeat(60)}/${'x'.repeat(60)}`;
  const tasks = Array.from({ length: 200 }, (_, i) => task(`x.${i}`, 'a.example', `a.example:${31_000 + i}`));
  const ports = [{ servicePort: 1, protocol: 'tcp', name: 'p'.repeat(80) }];
  const { records } = zoneOf(balancedApp(id, 1, [], { tasks, ports }));
  for (const name of records.keys()) {
    for (const label of name.split('.')) expect(label.length).toBeLessThanOrEqual(63);
    expect(name.length).toBeLessThanOrEqual(200);
  }
  // The app and its tasks, twice, two services, and the domain.
  expect(records.size).toBe(2 * 201 + 2 + 1);
});
