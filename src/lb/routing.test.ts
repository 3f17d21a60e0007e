import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../../test/lb/snapshots.ts';
import { certificateList, configure, mapText } from './configuration.ts';
import { NO_CLAIMS, type RoutingOptions, route } from './routing.ts';
import { assignSlots } from './slots.ts';

const OPTIONS: RoutingOptions = {
  certificates: new Set(),
  templates: new Map(),
  allowLabelTemplates: false,
  groups: [],
  reserved: [
    { begin: 8080, end: 8080 },
    { begin: 31_000, end: 32_000 },
  ],
  sharesHosts: false,
};
const CONFIGURATION = {
  socket: '/run/s',
  user: undefined,
  address: '*',
  httpPort: 80,
  httpsPort: 443,
  stats: '127.0.0.1:9101',
  certificateDirectory: undefined,
  certificates: new Map<string, string>(),
  templates: new Map<string, string>(),
  checks: false,
  maxReloads: 100,
  slowStartMs: 0,
};

function vhost(id: string, run: number, host: string, path?: string) {
  const labels = { HAPROXY_0_VHOST: host, ...(path !== undefined && { HAPROXY_0_PATH: path }) };
  return balancedApp(id, 10_000 + run, [], { run, labels });
}

describe('service ports', () => {
  it('serve ready tasks only, at the address of the container where it is the only one', () => {
    const app = balancedApp('/web', 10_001, [31_001], {});
    const tasks = [
      ...app.tasks,
      { id: 'b', state: 'ending' as const, addresses: ['h:1'] },
      { id: 'c', state: 'waiting' as const, addresses: ['h:2'] },
      { id: 'd', state: 'ready' as const, addresses: [null] },
      { id: 'e', state: 'ready' as const, addresses: ['[fd00::1]:80'] },
    ];
    const [service] = route(snapshotOf([{ ...app, tasks }]), OPTIONS, NO_CLAIMS).services;
    expect(service).toMatchObject({ port: 10_001, mode: 'tcp', backend: '0_web' });
    expect(service?.servers).toEqual([
      { taskId: '/web.31001', host: '127.0.0.1', port: 31_001 },
      { taskId: 'e', host: 'fd00::1', port: 80 },
    ]);
  });

  it('are refused below 1024, for the ports of the cluster, and in the range of the agents', () => {
    const apps = [80, 8080, 31_500].map((port, i) => balancedApp(`/a${i}`, port, []));
    const { services, problems } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
    expect(services).toEqual([]);
    expect(problems.map(({ text }) => text)).toEqual([
      'port 80 is below 1024: use a virtual host',
      'port 8080 belongs to the cluster',
      'port 31500 is one of 31000 to 32000, which belong to the cluster',
    ]);
  });

  it('belong to the app that had them first, also after a label of an older app', () => {
    const young = balancedApp('/young', 10_001, [], { run: 2 });
    const { claims } = route(snapshotOf([young]), OPTIONS, NO_CLAIMS);
    const old = balancedApp('/old', 10_002, [], { run: 1, labels: { HAPROXY_0_PORT: '10001' } });
    const { services, problems } = route(snapshotOf([old, young]), OPTIONS, claims);
    expect(services.map(({ appId, port }) => [appId, port])).toEqual([['/young', 10_001]]);
    expect(problems).toEqual([{ appId: '/old', text: 'port 10001 belongs to /young' }]);
  });

  it('are given to one of two ports of the same app', () => {
    const ports = [10_001, 10_002].map((servicePort) => ({ servicePort, protocol: 'tcp' }));
    const app = balancedApp('/a', 0, [], { ports, labels: { HAPROXY_1_PORT: '10001' } });
    const { services, problems } = route(snapshotOf([app]), OPTIONS, NO_CLAIMS);
    expect(services.map(({ backend }) => backend)).toEqual(['0_a']);
    expect(problems).toHaveLength(1);
  });

  it('are of the groups that were chosen', () => {
    const of = (group: string) =>
      balancedApp(`/${group}`, 10_000 + group.length, [], { labels: { HAPROXY_GROUP: group } });
    const apps = [of('external'), of('in'), balancedApp('/none', 10_099, [])];
    const idsFor = (...groups: string[]) =>
      route(snapshotOf(apps), { ...OPTIONS, groups }, NO_CLAIMS).services.map(({ appId }) => appId);
    expect(idsFor()).toHaveLength(3);
    expect(idsFor('external')).toEqual(['/external']);
    expect(idsFor('*')).toHaveLength(3);
  });

  it('are http with a virtual host or an HTTP check, unless a label says otherwise', () => {
    const check = { ports: [{ servicePort: 10_001, protocol: 'tcp', checkProtocol: 'MESOS_HTTP' }] };
    const modeOf = (more: object) =>
      route(snapshotOf([balancedApp('/a', 10_001, [], more)]), OPTIONS, NO_CLAIMS).services[0]?.mode;
    expect(modeOf({})).toBe('tcp');
    expect(modeOf(check)).toBe('http');
    expect(modeOf({ labels: { HAPROXY_0_VHOST: 'a.example' } })).toBe('http');
    expect(modeOf({ ...check, labels: { HAPROXY_0_MODE: 'tcp' } })).toBe('tcp');
  });
});

describe('a virtual host', () => {
  it('belongs to the oldest app, or the one that had it before', () => {
    const apps = [vhost('/b', 2, 'x.example'), vhost('/a', 1, 'x.example')];
    const first = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
    expect(first.hosts.map(({ service }) => service.appId)).toEqual(['/a']);
    expect(first.problems).toEqual([{ appId: '/b', text: 'the virtual host x.example belongs to /a' }]);
    const { claims } = route(snapshotOf([vhost('/b', 2, 'x.example')]), OPTIONS, NO_CLAIMS);
    expect(route(snapshotOf(apps), OPTIONS, claims).hosts.map(({ service }) => service.appId)).toEqual([
      '/b',
    ]);
  });

  it('can be shared by paths within a group, or everywhere if the operator allows it', () => {
    const apps = [
      vhost('/shop/web', 1, 'x.example'),
      vhost('/shop/api', 2, 'x.example', '/api'),
      vhost('/c', 3, 'x.example', '/c'),
    ];
    const prefixes = (sharesHosts: boolean) =>
      route(snapshotOf(apps), { ...OPTIONS, sharesHosts }, NO_CLAIMS).hosts.map(({ prefix }) => prefix);
    expect(prefixes(false)).toEqual(['/', '/api']);
    expect(prefixes(true)).toEqual(['/', '/api', '/c']);
  });

  it('gives a path to one app only', () => {
    const apps = [vhost('/s/a', 1, 'x.example', '/p'), vhost('/s/b', 2, 'x.example', '/p')];
    const { hosts, problems } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
    expect(hosts).toHaveLength(1);
    expect(problems).toEqual([{ appId: '/s/b', text: 'x.example/p belongs to /s/a' }]);
  });
});

describe('a port whose restriction of access is refused', () => {
  it.each([
    ['AUTH', 'realm:ada:secret'],
    ['BACKEND_NETWORK_ALLOWED_ACL', '10.0.0.0/33'],
    ['BIND_ADDR', 'localhost'],
    ['ENABLED', 'off'],
  ])('%s=%s is not open to all', (name, value) => {
    const labels = { HAPROXY_0_MODE: 'http', [`HAPROXY_0_${name}`]: value };
    const { services, problems } = route(
      snapshotOf([balancedApp('/a', 10_001, [], { labels })]),
      OPTIONS,
      NO_CLAIMS,
    );
    expect(services).toEqual([]);
    expect(problems.at(-1)?.text).toBe(`port 10001 is not served: HAPROXY_0_${name} can't be applied`);
  });

  it('AUTH has no effect in the mode tcp', () => {
    const labels = { HAPROXY_0_AUTH: 'realm:ada:$5$salt$hash' };
    const apps = [balancedApp('/a', 10_001, [], { labels })];
    expect(route(snapshotOf(apps), OPTIONS, NO_CLAIMS).services).toEqual([]);
  });
});

it('names any number of certificates in a file, because a line may have 64 words', () => {
  const { services, hosts } = route(snapshotOf([vhost('/a', 1, 'a.example')]), OPTIONS, NO_CLAIMS);
  const certificates = new Map(Array.from({ length: 40 }, (_, i) => [`c${i}.pem`, `${i}`]));
  const options = { ...CONFIGURATION, certificateDirectory: '/certificates', certificates };
  const { lines } = configure(services, hosts, new Map(), options, (name) => `/${name}`);
  for (const { text } of lines) expect(text.trim().split(' ').length).toBeLessThan(64);
  expect(lines.map(({ text }) => text)).toContain('  bind :443 ssl crt-list /certificates alpn h2,http/1.1');
  expect(certificateList(['b.pem', 'a.pem'], '/c')).toBe('/c/a.pem\n/c/b.pem\n');
});

it('gives each rule its length, so that the longest decides also if only one ignores case', () => {
  const apps = [vhost('/s/web', 1, 'x.example'), vhost('/s/api', 2, 'x.example', '-i /API')];
  const { hosts } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
  expect(mapText('hosts', hosts)).toBe('x.example/ 10/0_s_web/serve\n');
  expect(mapText('folded', hosts)).toBe('x.example/api 13/0_s_api/serve\n');
});

it('limits the paths of one app, which are multiplied by its hosts', () => {
  const list = (begin: string) => Array.from({ length: 100 }, (_, i) => `${begin}${i}`);
  const apps = [vhost('/a', 1, list('h').join(), list('/p').join(' ')), vhost('/b', 2, 'b.example')];
  const { hosts, problems } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
  expect(hosts.map(({ host }) => host)).toEqual(['b.example']);
  expect(problems.map(({ text }) => text)).toEqual([
    'has more than 1000 paths of virtual hosts: not all are served',
  ]);
});

it('allows 100 networks of clients, on lines of less than 64 words, and refuses more', () => {
  const networks = Array.from({ length: 100 }, (_, i) => `10.${i}.0.0/16`);
  const linesFor = (value: string) => {
    const labels = { HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL: value };
    const { services } = route(snapshotOf([balancedApp('/a', 10_001, [], { labels })]), OPTIONS, NO_CLAIMS);
    return configure(services, [], new Map(), CONFIGURATION, () => '/m').lines.map(({ text }) => text);
  };
  const lines = linesFor(networks.join(' '));
  for (const line of lines) expect(line.trim().split(' ').length).toBeLessThan(64);
  const allowed = lines.flatMap((line) => /acl mesosup_clients src (.*)/.exec(line)?.[1]?.split(' ') ?? []);
  expect(allowed).toEqual(networks);
  expect(lines).toContain('  tcp-request content reject unless mesosup_clients');
  expect(linesFor([...networks, '10.200.0.0/16'].join(' '))).not.toContain('frontend port-10001');
});

it('a virtual host is not kept by an app that can not serve it', () => {
  const tcp = vhost('/old', 1, 'x.example');
  const apps = [{ ...tcp, labels: { ...tcp.labels, HAPROXY_0_MODE: 'tcp' } }, vhost('/new', 2, 'x.example')];
  const { hosts } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
  expect(hosts.map(({ service }) => service.appId)).toEqual(['/new']);
});

it('labels, ids and addresses never change the structure of the configuration', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('x\nbackend y', ' server z 1.2.3.4:5', '/a', 'a.example', 'true'),
  );
  const name = fc.constantFrom(
    ...[
      'VHOST',
      'PATH',
      'MODE',
      'PORT',
      'BALANCE',
      'STICKY',
      'SSL_CERT',
      'AUTH',
      'BIND_ADDR',
      'USE_HSTS',
      'REDIRECT_TO_HTTPS',
    ],
    ...[
      'BACKEND_NETWORK_ALLOWED_ACL',
      'HTTP_BACKEND_PROXYPASS_PATH',
      'HTTP_BACKEND_REVPROXY_PATH',
      'HTTP_BACKEND_REDIR',
      'BACKEND_HTTP_OPTIONS',
    ],
  );
  const labels = fc.dictionary(
    name.map((one) => `HAPROXY_0_${one}`),
    text,
  );
  const keyword =
    /^ {2}(mode|acl|balance|hash-type|bind|option|http-request|http-response|tcp-request|cookie|server|user|default_backend|timeout|stats|use_backend|hard-stop-after|mworker-max-reloads|ssl-default-bind-options|tune\.ssl\.default-dh-param|retries|retry-on|group) /;
  const section =
    /^(global|defaults|# Written by mesosup lb: changes are lost\.|(frontend|backend|userlist) [A-Za-z0-9_:.-]+)$/;
  fc.assert(
    fc.property(fc.array(fc.tuple(text, labels, text), { maxLength: 4 }), (seeds) => {
      const apps = seeds.map(([id, labels, address], i) =>
        balancedApp(`/${i}${id}`, 10_000 + i, [], {
          run: i,
          labels,
          tasks: [{ id: address, state: 'ready', addresses: [address] }],
        }),
      );
      const { services, hosts } = route(snapshotOf(apps), OPTIONS, NO_CLAIMS);
      const slots = assignSlots(services, new Map(), () => '10.0.0.1');
      const { lines } = configure(services, hosts, slots, CONFIGURATION, () => '/m');
      for (const { text: line } of lines) {
        expect(line).not.toMatch(/\p{Cc}/u);
        expect(keyword.test(line) || section.test(line), line).toBe(true);
      }
      const names = lines.flatMap(({ text: line }) =>
        /^(frontend|backend|userlist) /.test(line) ? [line] : [],
      );
      expect(new Set(names).size).toBe(names.length);
      for (const map of ['hosts', 'folded'] as const) {
        for (const line of mapText(map, hosts).split('\n').slice(0, -1))
          expect(line).toMatch(/^[a-z0-9.-]+\/\S* \S+$/);
      }
    }),
    // Long generated texts take their time.
    { numRuns: 40 },
  );
});
