import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAppLabels } from './app-labels.ts';
import { type LabelPolicy, parsePortLabel } from './port-labels.ts';

const POLICY: LabelPolicy = {
  certificates: new Set(['shop.pem']),
  templates: new Map([['own-headers', '  http-request set-header X-A b\n# comment\n']]),
  allowLabelTemplates: false,
};

const VALID: readonly (readonly [string, string, object])[] = [
  ['GROUP', 'external,internal', { groups: ['external', 'internal'] }],
  ['ENABLED', 'False', { enabled: false }],
  ['VHOST', 'Shop.example, www.shop.example', { hosts: ['shop.example', 'www.shop.example'] }],
  ['PATH', '/v2/api/derp', { paths: { ignoreCase: false, prefixes: ['/v2/api/derp'] } }],
  ['PATH', '-i /multiple /paths', { paths: { ignoreCase: true, prefixes: ['/multiple', '/paths'] } }],
  ['MODE', 'http', { mode: 'http' }],
  ['PORT', '10080', { port: 10_080 }],
  ['BALANCE', 'leastconn', { balance: 'leastconn' }],
  ['STICKY', 'true', { sticky: true }],
  ['REDIRECT_TO_HTTPS', 'true', { redirectsToHttps: true }],
  ['USE_HSTS', 'true', { hsts: true }],
  ['SSL_CERT', '/etc/ssl/shop.pem', { certificate: 'shop.pem' }],
  [
    'AUTH',
    'my realm:ada:$6$salt$hash/.',
    { auth: { realm: 'my realm', user: 'ada', passwordHash: '$6$salt$hash/.' } },
  ],
  ['BACKEND_NETWORK_ALLOWED_ACL', '10.1.40.0/24 ::1', { clients: ['10.1.40.0/24', '::1'] }],
  ['BIND_ADDR', '10.0.0.42', { bindAddress: '10.0.0.42' }],
  ['HTTP_BACKEND_PROXYPASS_PATH', '/path/to/redirect', { removedPrefix: '/path/to/redirect' }],
  ['HTTP_BACKEND_REVPROXY_PATH', '/my/content', { locationPrefix: '/my/content' }],
  ['HTTP_BACKEND_REDIR', '/my/content', { rootRedirect: '/my/content' }],
  [
    'BACKEND_HTTP_OPTIONS',
    'own-headers',
    { templates: { BACKEND_HTTP_OPTIONS: 'http-request set-header X-A b' } },
  ],
  [
    'BACKEND_STICKY_OPTIONS',
    'own-headers',
    { templates: { BACKEND_STICKY_OPTIONS: 'http-request set-header X-A b' } },
  ],
  [
    'BACKEND_HSTS_OPTIONS',
    'own-headers',
    { templates: { BACKEND_HSTS_OPTIONS: 'http-request set-header X-A b' } },
  ],
];

describe('a label of a port', () => {
  it.each(VALID)('%s accepts %s', (name, value, settings) => {
    expect(parsePortLabel(name, value, POLICY)).toEqual(settings);
  });

  it.each([
    'plain',
    '$5$rounds=999999999$salt$hash',
    '$6$rounds=100000$salt$hash',
    '$2b$31$hash',
    '$y$jFT$salt$hash',
  ])('AUTH refuses the hash %s, which is none, or would stop haproxy for long', (hash) => {
    expect(parsePortLabel('AUTH', `realm:ada:${hash}`, POLICY)).toMatch(/has a hash/);
  });

  it.each(['$1$salt$hash', '$5$rounds=99999$salt$hash', '$2y$05$hash', '$y$j9T$salt$hash', 'abJnggxhB/yWI'])(
    'AUTH accepts the hash %s',
    (passwordHash) => {
      expect(parsePortLabel('AUTH', `realm:ada:${passwordHash}`, POLICY)).toMatchObject({
        auth: { passwordHash },
      });
    },
  );

  const INJECTIONS = [
    'x\n  http-request deny',
    'x\r\nfrontend evil\n  bind :1',
    'a b',
    'a;b',
    'a"b',
    "a'b",
    'a\\b',
    'a#b',
    'a{b}',
    'a$b',
    'a\u0000b',
    'a\u0085b',
    '../../etc/shadow',
    '%[env(HOME)]',
    '',
    'x'.repeat(100_000),
  ];
  it.each([...new Set(VALID.map(([name]) => name))])(
    '%s refuses values with a meaning in haproxy',
    (name) => {
      for (const value of INJECTIONS) {
        const settings = parsePortLabel(name, value, POLICY);
        if (typeof settings === 'string') continue;
        // What is accepted contains no character with a meaning.
        expect(JSON.stringify(settings), `${name}=${value}`).not.toMatch(/\\|[\s;'#$%]|\.\.\//);
      }
    },
  );

  it('AUTH and the templates refuse control characters and unknown names', () => {
    expect(parsePortLabel('AUTH', 'realm:ada:$6$\n', POLICY)).toBe('contains control characters');
    expect(parsePortLabel('BACKEND_HTTP_OPTIONS', 'http-request deny', POLICY)).toMatch(
      /--allow-label-templates/,
    );
    expect(parsePortLabel('constructor', 'x', POLICY)).toBeUndefined();
    expect(parsePortLabel('SSL_CERT', '../other.pem', POLICY)).toMatch(/not in the directory/);
  });

  it('a template that the operator allows can not begin another section', () => {
    const policy = { ...POLICY, allowLabelTemplates: true };
    expect(parsePortLabel('BACKEND_HTTP_OPTIONS', '  option forwardfor\n', policy)).toEqual({
      templates: { BACKEND_HTTP_OPTIONS: 'option forwardfor' },
    });
    for (const text of ['frontend x', ' \tGlobal\n', 'option forwardfor\nbackend x', 'a\rlisten x']) {
      expect(typeof parsePortLabel('BACKEND_HTTP_OPTIONS', text, policy), text).toBe('string');
    }
  });
});

describe('the labels of an app', () => {
  it('take the group of the app unless the port has one', () => {
    const { ports } = readAppLabels(
      '/a',
      { HAPROXY_GROUP: 'internal', HAPROXY_0_GROUP: 'external' },
      2,
      POLICY,
    );
    expect(ports).toEqual([{ groups: ['external'] }, { groups: ['internal'] }]);
  });

  it('name each label that has no effect', () => {
    const labels = {
      HAPROXY_0_FRONTEND_HEAD: 'x',
      HAPROXY_7_MODE: 'tcp',
      HAPROXY_HEAD: 'x',
      HAPROXY_0_MODE: 'udp',
      other: '',
    };
    expect(readAppLabels('/a', labels, 1, POLICY).problems).toEqual([
      {
        label: 'HAPROXY_0_FRONTEND_HEAD',
        why: expect.stringMatching(/^is not supported: the load balancer/),
      },
      { label: 'HAPROXY_0_MODE', why: 'must be tcp or http' },
      { label: 'HAPROXY_7_MODE', why: 'is for port 7, and the app has 1 (numbered from 0)' },
      { label: 'HAPROXY_HEAD', why: 'is not supported' },
    ]);
  });

  it('never throws, and names problems without characters of the label', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().map((s) => `HAPROXY_${s}`),
          fc.string(),
        ),
        (labels) => {
          for (const { label } of readAppLabels('/a', labels, 3, POLICY).problems)
            expect(label).toMatch(/^[A-Za-z0-9_.?-]+$/);
        },
      ),
    );
  });
});
