import { expect, it } from 'vitest';
import { appV2 } from '../../../../test/scheduler/fixtures.ts';
import { discoveryInfo } from './discovery-info.ts';

const container = { type: 'DOCKER', docker: { image: 'x' } };
const label = (key: string, value: string) => ({ key, value });

it('names the ports of an app in the network of its host, without a scope', () => {
  const app = appV2({
    id: '/shop/web',
    portDefinitions: [{ name: 'http', protocol: 'udp,tcp', labels: { VIP_0: '/web:80' } }, {}],
  });
  const labels = { labels: [label('VIP_0', '/web:80')] };
  expect(discoveryInfo(app, { ports: [31_000, 31_001] })).toEqual({
    visibility: 'FRAMEWORK',
    name: 'web.shop',
    ports: {
      ports: [
        { number: 31_000, name: 'http', protocol: 'udp', labels },
        { number: 31_000, name: 'http', protocol: 'tcp', labels },
        { number: 31_001, protocol: 'tcp' },
      ],
    },
  });
});

it('gives published ports the scope of the host', () => {
  const portMappings = [{ containerPort: 80, name: 'http', labels: { 'network-scope': 'mine', a: 'b' } }];
  const app = appV2({ container: { ...container, portMappings }, networks: [{ mode: 'container/bridge' }] });
  const labels = { labels: [label('network-scope', 'host'), label('a', 'b')] };
  expect(discoveryInfo(app, { ports: [31_000] }).ports?.ports).toEqual([
    { number: 31_000, name: 'http', protocol: 'tcp', labels },
  ]);
});

it('gives other ports the scope of the container, once for each network', () => {
  const portMappings = [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }];
  const networks = ['a', 'b'].map((name) => ({ mode: 'container', name }));
  const app = appV2({ container: { ...container, portMappings }, networks });
  const scope = (name: string) => ({
    labels: [label('network-scope', 'container'), label('network-name', name)],
  });
  expect(discoveryInfo(app, { ports: [31_000] }).ports?.ports).toEqual([
    { number: 80, protocol: 'tcp', labels: scope('a') },
    { number: 80, protocol: 'tcp', labels: scope('b') },
    { number: 31_000, protocol: 'tcp', labels: { labels: [label('network-scope', 'host')] } },
  ]);
});
