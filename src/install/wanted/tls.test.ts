import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bareHosts, planInput } from '../../../test/install/hosts.ts';
import { anyCluster } from '../../../test/install/random-cluster.ts';
import { runs } from '../../../test/support/runs.ts';
import { servicesOf } from '../../cluster/certificates.ts';
import { reveal, type Secrets, TLS_STATES } from '../../cluster/secrets.ts';
import type { FileResource } from '../resources/file.ts';
import { wantedResources } from './wanted.ts';

/** Certificates and keys by their names, so that each file shows whose it has. */
const leaves = new Proxy({} as Record<string, { certificate: string; key: string }>, {
  get: (_target, leaf) => ({ certificate: `certificate of ${String(leaf)}`, key: `key of ${String(leaf)}` }),
});

test('each service of each host has its own key, which only its user can read, and no other', () => {
  fc.assert(
    fc.property(anyCluster, fc.constantFrom(...TLS_STATES), (cluster, state) => {
      const input = planInput(cluster, bareHosts(cluster));
      const secrets: Secrets = { ...input.secrets, tls: { state, trusted: 'authorities', leaves } };
      for (const host of cluster.hosts) {
        const files = wantedResources({ ...input, secrets, host, running: true }).filter(
          (one): one is FileResource => one.kind === 'file',
        );
        const keys = files.filter(({ content }) => reveal(content, secrets).startsWith('key of '));
        expect(keys.map(({ content }) => reveal(content, secrets)).toSorted()).toEqual(
          servicesOf(cluster, host)
            .map((service) => `key of ${host.name}/${service}`)
            .toSorted(),
        );
        expect(keys.every(({ mode }) => mode === '0600')).toBe(true);
        const ca = files.find(({ path }) => path === '/etc/mesosup/tls/ca.pem');
        expect(reveal(ca?.content ?? '', secrets)).toBe('authorities');
        const inUse = files.some(({ path }) => path === '/etc/mesosup/tls/in-use');
        expect(inUse).toBe(state !== 'offer');
        // Once clients use TLS, no file leads them to a port in plain text.
        const plain = files.filter(({ content }) => /http:\/\/10\./.test(content));
        if (state !== 'offer') expect(plain.map(({ path }) => path)).toEqual([]);
      }
    }),
    { numRuns: runs(100) },
  );
});

test('without TLS nothing of it is wanted', () => {
  fc.assert(
    fc.property(anyCluster, (cluster) => {
      const input = planInput(cluster, bareHosts(cluster));
      for (const host of cluster.hosts) {
        const text = JSON.stringify(wantedResources({ ...input, host, running: true }));
        expect(text).not.toMatch(/LIBPROCESS_SSL|mesosup\/tls|https_port=|https:\/\/10\./);
      }
    }),
    { numRuns: runs(100) },
  );
});
