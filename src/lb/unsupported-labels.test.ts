import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readAppLabels } from './app-labels.ts';
import type { LabelPolicy } from './port-labels.ts';

const POLICY: LabelPolicy = {
  certificates: new Set(['site.pem']),
  templates: new Map([['t', 'option forwardfor']]),
  allowLabelTemplates: false,
};

/** All that marathon-lb documents per port, with a value that it accepts; undefined for those that are refused. */
const OF_PORTS: Readonly<Record<string, string | undefined>> = {
  AUTH: 'realm:user:$5$salt$hash',
  BACKEND_HEAD: undefined,
  BACKEND_HEALTHCHECK_PORT_INDEX: undefined,
  BACKEND_HSTS_OPTIONS: 't',
  BACKEND_HTTP_HEALTHCHECK_OPTIONS: undefined,
  BACKEND_HTTP_OPTIONS: 't',
  BACKEND_NETWORK_ALLOWED_ACL: '10.0.0.0/8',
  BACKEND_REDIRECT_HTTP_TO_HTTPS: undefined,
  BACKEND_REDIRECT_HTTP_TO_HTTPS_WITH_PATH: undefined,
  BACKEND_SERVER_HTTP_HEALTHCHECK_OPTIONS: undefined,
  BACKEND_SERVER_OPTIONS: undefined,
  BACKEND_SERVER_TCP_HEALTHCHECK_OPTIONS: undefined,
  BACKEND_STICKY_OPTIONS: 't',
  BACKEND_TCP_HEALTHCHECK_OPTIONS: undefined,
  BACKEND_WEIGHT: undefined,
  BALANCE: 'leastconn',
  BIND_ADDR: '10.0.0.1',
  BIND_OPTIONS: undefined,
  ENABLED: 'true',
  FRONTEND_BACKEND_GLUE: undefined,
  FRONTEND_HEAD: undefined,
  GROUP: 'external',
  HTTPS_FRONTEND_ACL: undefined,
  HTTPS_FRONTEND_AUTH_ACL_ONLY: undefined,
  HTTP_BACKEND_NETWORK_ALLOWED_ACL: undefined,
  HTTP_BACKEND_PROXYPASS_GLUE: undefined,
  HTTP_BACKEND_PROXYPASS_PATH: '/path',
  HTTP_BACKEND_REDIR: '/start',
  HTTP_BACKEND_REVPROXY_GLUE: undefined,
  HTTP_BACKEND_REVPROXY_PATH: '/path',
  HTTP_FRONTEND_ACL: undefined,
  HTTP_FRONTEND_APPID_ACL: undefined,
  HTTP_FRONTEND_ROUTING_ONLY: undefined,
  MAP_HTTP_FRONTEND_ACL: undefined,
  MODE: 'http',
  PATH: '/path',
  PORT: '10001',
  REDIRECT_TO_HTTPS: 'true',
  SSL_CERT: '/etc/ssl/site.pem',
  STICKY: 'true',
  TCP_BACKEND_ACL_ALLOW_DENY: undefined,
  USERLIST_HEAD: undefined,
  USE_HSTS: 'true',
  VHOST: 'a.example',
};

it('honours or refuses each label that marathon-lb documents, says why, and the page lists it', async () => {
  const page = await readFile('docs/load-balancer.md', 'utf8');
  for (const [name, value] of Object.entries(OF_PORTS)) {
    const label = `HAPROXY_0_${name}`;
    const { ports, problems } = readAppLabels('/a', { [label]: value ?? 'x' }, 1, POLICY);
    if (value === undefined)
      expect(problems, label).toEqual([{ label, why: expect.stringMatching(/^is not supported: ./) }]);
    else
      expect({ problems, isEmpty: Object.keys(ports[0] ?? {}).length === 0 }, label).toEqual({
        problems: [],
        isEmpty: false,
      });
    const shown = /^(MAP_)?HTTPS?_FRONTEND_/.test(name) ? '_FRONTEND_`' : `_${name}\``;
    expect(page, label).toContain(shown);
  }
});

it('names labels of zdd.py and unknown ones', () => {
  const labels = { HAPROXY_DEPLOYMENT_COLOUR: 'blue', HAPROXY_0_OTHER: 'x', HAPROXY_HEAD: 'global' };
  expect(readAppLabels('/a', labels, 1, POLICY).problems).toEqual([
    { label: 'HAPROXY_0_OTHER', why: 'is not supported' },
    { label: 'HAPROXY_DEPLOYMENT_COLOUR', why: expect.stringMatching(/^is for zdd\.py/) },
    { label: 'HAPROXY_HEAD', why: 'is not supported' },
  ]);
});
